//! The physics engine's world: the ground, and the craft as bodies, colliders and joints.

use rapier2d::parry::bounding_volume::Aabb;
use rapier2d::prelude::{
    CoefficientCombineRule, ColliderBuilder, CollisionPipeline, Group, ImpulseJoint,
    ImpulseJointHandle, InteractionGroups, InteractionTestMode, MassProperties, MotorModel,
    PhysicsPipeline, PhysicsWorld, Pose, RevoluteJointBuilder, RigidBody, RigidBodyBuilder,
    RigidBodyHandle, Rotation, Vector,
};

use super::air::{COS, Motion, SIN, SPIN, VX, VY, X, Y};
use super::approach::Approach;
use super::terrain::{Terrain, WORLD};
use super::{FPS, ITERATIONS, SCALE};

/// The corners of the hull, in pixels from its origin.
pub(super) const HULL: [[f64; 2]; 6] =
    [[-14.0, 17.0], [-17.0, 0.0], [-17.0, -10.0], [17.0, -10.0], [17.0, 0.0], [14.0, 17.0]];
const HULL_DENSITY: f32 = 5.0;
const HULL_FRICTION: f32 = 0.1;
const GROUND_FRICTION: f32 = 0.1;

/// From the hinge, which is the hull's origin, to the middle of a leg that stands straight, in
/// pixels.
const LEG_AWAY: f64 = 20.0;
pub(super) const LEG_DOWN: f64 = 18.0;
/// Half the sides of a leg, in pixels.
pub(super) const LEG_HALF: [f64; 2] = [2.0, 8.0];
const LEG_DENSITY: f32 = 1.0;
const LEG_FRICTION: f32 = 0.2;
/// The greatest torque by which a leg is held in place, in N·m.
const LEG_SPRING_TORQUE: f32 = 40.0;
/// How fast a spread leg comes back: not so fast that it throws the lander up again, in rad/s.
const LEG_SPEED: f32 = 0.3;
/// The angles between which a leg moves, in radians. Gymnasium's joint counts from 0.05, the angle
/// at which its legs are made: 0.4 to 0.9.
const LEG_ANGLES: [f32; 2] = [0.35, 0.85];
/// A leg's angle at the start: near Gymnasium's after its first step, which pulls them into place.
const LEG_START: f32 = 0.5;

/// The mass (kg) and the moment of inertia (kg·m²) that a leg has here, both at its hinge.
///
/// In Gymnasium a leg has a seventieth of the hull's mass. Impulses that pass through so light a
/// body from one that is heavy take some 180 iterations a step to settle. Here the legs have some of
/// the hull's mass: the lander with its legs drawn in has Gymnasium's mass, centre and inertia, so
/// that it flies as Gymnasium's does, and a few iterations are enough for it to stand.
const LEG_MASS: f32 = 1.5;
const LEG_INERTIA: f32 = 0.25;

/// The engine solves a motor as a damper; one so strong that it holds its speed up to its torque.
const MOTOR_DAMPING: f32 = 1e6;

/// The length of a step.
pub(super) const SECONDS: f32 = (1.0 / FPS) as f32;

/// Bodies that the engine moves.
pub(super) struct World {
    world: PhysicsWorld,
    /// The hull, the right and the left leg.
    bodies: [RigidBodyHandle; 3],
    joints: [ImpulseJointHandle; 2],
}

impl Clone for World {
    fn clone(&self) -> Self {
        let world = &self.world;
        let world = PhysicsWorld {
            gravity: world.gravity,
            integration_parameters: world.integration_parameters,
            // Working memory only.
            physics_pipeline: PhysicsPipeline::new(),
            collision_pipeline: CollisionPipeline::new(),
            islands: world.islands.clone(),
            broad_phase: world.broad_phase.clone(),
            narrow_phase: world.narrow_phase.clone(),
            bodies: world.bodies.clone(),
            colliders: world.colliders.clone(),
            impulse_joints: world.impulse_joints.clone(),
            multibody_joints: world.multibody_joints.clone(),
            soft_bodies: world.soft_bodies.clone(),
            ccd_solver: world.ccd_solver.clone(),
        };
        Self { world, ..*self }
    }
}

impl World {
    /// A lander in the middle of the sky, not moving.
    pub(super) fn new(terrain: &Terrain, gravity: f64) -> Self {
        let mut world = PhysicsWorld { gravity: vector([0.0, gravity]), ..PhysicsWorld::new() };
        let parameters = &mut world.integration_parameters;
        parameters.dt = SECONDS;
        parameters.warmstart_joints = true;
        parameters.num_internal_pgs_iterations = ITERATIONS;
        parameters.num_internal_stabilization_iterations = ITERATIONS;

        let heights = terrain.0.iter().map(|&height| height as f32).collect();
        let ground = ColliderBuilder::heightfield(heights, Vector::new(WORLD[0] as f32, 1.0))
            .translation(vector([WORLD[0] / 2.0, 0.0]))
            .friction(GROUND_FRICTION)
            .collision_groups(groups(Group::GROUP_1, Group::GROUP_2));
        world.insert_collider(ground, None);

        let corners = HULL.map(|corner| vector(corner) / SCALE as f32).to_vec();
        let half = vector(LEG_HALF) / SCALE as f32;
        // A leg's hinge, from its own middle.
        let hinge = |side: f32| Vector::new(side * LEG_AWAY as f32, LEG_DOWN as f32) / SCALE as f32;
        let turned = |side: f32, angle: f32| {
            let turn = Rotation::new(-side * angle);
            Pose::from_parts(-(turn * hinge(side)), turn)
        };

        let leg = MassProperties::from_cuboid(LEG_DENSITY, half);
        let drawn_in = |side: f32| leg.transform_by(&turned(side, LEG_ANGLES[0]));
        let at_the_hinge = MassProperties::new(Vector::ZERO, LEG_MASS, LEG_INERTIA);
        let rest = hull_alone() + drawn_in(-1.0) + drawn_in(1.0) - at_the_hinge - at_the_hinge;

        let start = vector([WORLD[0] / 2.0, WORLD[1]]);
        let body = || RigidBodyBuilder::dynamic().can_sleep(false);
        let shape = ColliderBuilder::convex_polyline(corners).expect("the hull is convex");
        let shape = of_the_craft(shape, rest, HULL_FRICTION);
        let (main, _) = world.insert(body().translation(start), shape);
        let sides = [-1.0, 1.0].map(|side: f32| {
            let place = Pose::from_translation(start) * turned(side, LEG_START);
            let mass = MassProperties::new(hinge(side), LEG_MASS, LEG_INERTIA);
            let shape = of_the_craft(ColliderBuilder::cuboid(half.x, half.y), mass, LEG_FRICTION);
            let (leg, _) = world.insert(body().pose(place), shape);
            let [low, high] = LEG_ANGLES.map(|angle| -side * angle);
            let joint = RevoluteJointBuilder::new()
                .local_anchor2(hinge(side))
                .contacts_enabled(false)
                .limits([low.min(high), low.max(high)])
                .motor_model(MotorModel::ForceBased)
                .motor_velocity(side * LEG_SPEED, MOTOR_DAMPING)
                .motor_max_force(LEG_SPRING_TORQUE);
            (leg, world.impulse_joints.insert(main, leg, joint, true))
        });
        Self {
            world,
            bodies: [main, sides[0].0, sides[1].0],
            joints: sides.map(|(_, joint)| joint),
        }
    }

    /// The world of a craft that was in the air until now, with what the engine would remember of
    /// it: which boxes its tree of boxes holds, and where bodies were when it last looked for
    /// contacts.
    pub(super) fn of(
        motion: &Motion<f32>,
        approach: &Approach,
        terrain: &Terrain,
        gravity: f64,
    ) -> Self {
        let mut world = Self::new(terrain, gravity);
        let places = motion.bodies.map(|body| [body[X], body[Y], body[COS], body[SIN]]);
        for (i, place) in places.iter().enumerate() {
            world.body_mut(i).set_position(pose(approach.seen(i).unwrap_or(*place)), true);
            world.set_box(i, approach.both_boxes(i));
        }
        world.world.integration_parameters.dt = 0.0; // looks for contacts only
        world.world.step();
        world.world.integration_parameters.dt = SECONDS;
        for (i, body) in motion.bodies.iter().enumerate() {
            world.set_box(i, approach.boxed(i));
            let rigid = world.body_mut(i);
            rigid.set_position(pose(places[i]), true);
            rigid.set_linvel(Vector::new(body[VX], body[VY]), true);
            rigid.set_angvel(body[SPIN], true);
        }
        for (joint, &[motor, x, y, limit]) in world.joints.iter().zip(&motion.impulses) {
            let joint = world.world.impulse_joints.get_mut(*joint, false).expect("it was inserted");
            (joint.impulses.x, joint.impulses.y) = (x, y);
            joint.data.motors[2].impulse = motor;
            joint.data.limits[2].impulse = limit;
        }
        world
    }

    /// Sets the box that the tree has of a body: fattened, as if the body had left the one before.
    fn set_box(&mut self, i: usize, [x1, y1, x2, y2]: [f32; 4]) {
        let collider = self.body(i).colliders()[0];
        let (parameters, tree) = (&self.world.integration_parameters, &mut self.world.broad_phase);
        let away = Vector::new(0.0, 1e6);
        tree.set_aabb(parameters, collider, Aabb::new(away, away));
        let own = Aabb::new(Vector::new(x1, y1), Vector::new(x2, y2));
        tree.set_aabb(parameters, collider, own);
    }

    /// Lets a step of time pass.
    pub(super) fn step(&mut self) {
        self.world.step();
    }

    /// Where the bodies are and how they move.
    pub(super) fn motion(&self) -> Motion<f32> {
        let bodies = self.bodies().map(|body| {
            let ([x, y], turn) = (body.translation().to_array(), body.rotation());
            let [vx, vy] = body.linvel().to_array();
            [x, y, turn.re, turn.im, vx, vy, body.angvel()]
        });
        let impulses = [0, 1].map(|side| {
            let ImpulseJoint { impulses, data, .. } = self.joint(side);
            [data.motors[2].impulse, impulses.x, impulses.y, data.limits[2].impulse]
        });
        Motion { bodies, impulses }
    }

    /// The hull, the right and the left leg.
    pub(super) fn bodies(&self) -> [&RigidBody; 3] {
        [0, 1, 2].map(|i| self.body(i))
    }

    fn body(&self, i: usize) -> &RigidBody {
        &self.world.bodies[self.bodies[i]]
    }

    pub(super) fn body_mut(&mut self, i: usize) -> &mut RigidBody {
        &mut self.world.bodies[self.bodies[i]]
    }

    /// The joint of the right and of the left leg.
    pub(super) fn joint(&self, side: usize) -> &ImpulseJoint {
        self.world.impulse_joints.get(self.joints[side]).expect("it was inserted")
    }

    pub(super) fn colliders(&self) -> [&rapier2d::prelude::Collider; 3] {
        self.bodies().map(|body| &self.world.colliders[body.colliders()[0]])
    }
}

/// The hull as Gymnasium makes it.
pub(super) fn hull_alone() -> MassProperties {
    let corners = HULL.map(|corner| vector(corner) / SCALE as f32);
    MassProperties::from_convex_polygon(HULL_DENSITY, &corners)
}

fn pose([x, y, cos, sin]: [f32; 4]) -> Pose {
    Pose::from_parts(Vector::new(x, y), Rotation::from_cos_sin_unchecked(cos, sin))
}

pub(super) fn vector([x, y]: [f64; 2]) -> Vector {
    Vector::new(x as f32, y as f32)
}

fn groups(own: Group, others: Group) -> InteractionGroups {
    InteractionGroups::new(own, others, InteractionTestMode::And)
}

/// A part of the craft, which collides with the ground only.
fn of_the_craft(shape: ColliderBuilder, mass: MassProperties, friction: f32) -> ColliderBuilder {
    shape
        .mass_properties(mass)
        .friction(friction)
        // As Box2D mixes them.
        .friction_combine_rule(CoefficientCombineRule::GeometricMean)
        .collision_groups(groups(Group::GROUP_2, Group::GROUP_1))
}
