//! The lander and its legs as bodies of the physics engine.

use rapier2d::prelude::{
    CoefficientCombineRule, ColliderBuilder, CollisionPipeline, Group, InteractionGroups,
    InteractionTestMode, MassProperties, MotorModel, PhysicsPipeline, PhysicsWorld, Pose,
    RevoluteJointBuilder, RigidBodyBuilder, RigidBodyHandle, Rotation, Vector,
};

use super::terrain::{Terrain, WORLD};
use super::{FPS, SCALE};

/// The corners of the hull, in pixels from its origin.
const HULL: [[f64; 2]; 6] =
    [[-14.0, 17.0], [-17.0, 0.0], [-17.0, -10.0], [17.0, -10.0], [17.0, 0.0], [14.0, 17.0]];
const HULL_DENSITY: f32 = 5.0;
const HULL_FRICTION: f32 = 0.1;
const GROUND_FRICTION: f32 = 0.1;

/// From the hinge, which is the hull's origin, to the middle of a leg that stands straight, in
/// pixels.
const LEG_AWAY: f64 = 20.0;
pub(super) const LEG_DOWN: f64 = 18.0;
/// Half the sides of a leg, in pixels.
const LEG_HALF: [f64; 2] = [2.0, 8.0];
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

/// How often a substep, of which there are four, lets impulses settle: with and without the
/// correction of overlaps.
const ITERATIONS: usize = 4;

/// The engine solves a motor as a damper; one so strong that it holds its speed up to its torque.
const MOTOR_DAMPING: f32 = 1e6;

/// Slower than so a body rests (m/s and rad/s): twice Box2D's bounds, since a lander that stands
/// trembles by up to 0.017 m/s here. After so many seconds of rest it sleeps.
const REST: [f64; 2] = [0.02, 4.0 / 180.0 * std::f64::consts::PI];
const TIME_TO_SLEEP: f64 = 0.5;

/// Where a body is: its origin, in metres, and its angle, in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) origin: [f64; 2],
    pub(super) angle: f64,
}

impl Place {
    /// The place in the world of points of the body that are given in pixels.
    fn outline<const N: usize>(&self, corners: [[f64; 2]; N]) -> [[f64; 2]; N] {
        let (sin, cos) = self.angle.sin_cos();
        corners.map(|corner| {
            let [x, y] = corner.map(|x| x / SCALE);
            [self.origin[0] + cos * x - sin * y, self.origin[1] + sin * x + cos * y]
        })
    }

    /// Whether a body that was at `before` a step ago has hardly moved.
    fn rests(&self, before: &Self) -> bool {
        let moved = [0, 1].map(|i| self.origin[i] - before.origin[i]);
        let turned = self.angle - before.angle;
        moved[0].hypot(moved[1]) * FPS <= REST[0] && turned.abs() * FPS <= REST[1]
    }
}

/// A lander above the surface, and all that moves.
pub(super) struct Craft {
    world: PhysicsWorld,
    /// The hull, the right and the left leg.
    bodies: [RigidBodyHandle; 3],
    /// Where they are, whole turns of the hull counted: the engine knows none.
    places: [Place; 3],
    /// The hull's own centre of mass in Gymnasium, where the wind pushes and speed is measured.
    centre: Vector,
    /// How many steps all bodies have rested.
    rested: u32,
}

impl Clone for Craft {
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

impl std::fmt::Debug for Craft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Craft").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Craft {
    /// A lander in the middle of the sky, not moving.
    pub(super) fn new(terrain: &Terrain, gravity: f64) -> Self {
        let mut world = PhysicsWorld { gravity: vector([0.0, gravity]), ..PhysicsWorld::new() };
        let parameters = &mut world.integration_parameters;
        parameters.dt = (1.0 / FPS) as f32;
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

        let hull = MassProperties::from_convex_polygon(HULL_DENSITY, &corners);
        let leg = MassProperties::from_cuboid(LEG_DENSITY, half);
        let drawn_in = |side: f32| leg.transform_by(&turned(side, LEG_ANGLES[0]));
        let at_the_hinge = MassProperties::new(Vector::ZERO, LEG_MASS, LEG_INERTIA);
        let rest = hull + drawn_in(-1.0) + drawn_in(1.0) - at_the_hinge - at_the_hinge;

        let start = vector([WORLD[0] / 2.0, WORLD[1]]);
        let body = || RigidBodyBuilder::dynamic().can_sleep(false);
        let shape = ColliderBuilder::convex_polyline(corners).expect("the hull is convex");
        let shape = of_the_craft(shape, rest, HULL_FRICTION);
        let (main, _) = world.insert(body().translation(start), shape);
        let legs = [-1.0, 1.0].map(|side: f32| {
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
            world.impulse_joints.insert(main, leg, joint, true);
            leg
        });
        let bodies = [main, legs[0], legs[1]];
        let places = bodies.map(|handle| place(&world, handle));
        Self { world, bodies, places, centre: hull.local_com, rested: 0 }
    }

    /// Pushes the hull at a place of the world: an impulse in N·s.
    pub(super) fn push_at(&mut self, impulse: [f64; 2], place: [f64; 2]) {
        let hull = &mut self.world.bodies[self.bodies[0]];
        hull.apply_impulse_at_point(vector(impulse), vector(place), true);
    }

    /// A force (N) on the hull's centre of mass and a torque (N·m) during the next step.
    pub(super) fn force(&mut self, force: [f64; 2], torque: f64) {
        let seconds = (1.0 / FPS) as f32;
        let hull = &mut self.world.bodies[self.bodies[0]];
        let centre = hull.position() * self.centre;
        hull.apply_impulse_at_point(vector(force) * seconds, centre, true);
        hull.apply_torque_impulse(torque as f32 * seconds, true);
    }

    /// Lets a step of time pass.
    pub(super) fn step(&mut self) {
        use std::f64::consts::TAU;

        self.world.step();
        let mut places = self.bodies.map(|handle| place(&self.world, handle));
        for (now, before) in places.iter_mut().zip(&self.places) {
            now.angle += TAU * ((before.angle - now.angle) / TAU).round();
        }
        let all_rest = places.iter().zip(&self.places).all(|(now, before)| now.rests(before));
        self.rested = if all_rest { self.rested.saturating_add(1) } else { 0 };
        self.places = places;
    }

    /// Where the hull is, whole turns counted.
    pub(super) fn hull(&self) -> Place {
        self.places[0]
    }

    /// The velocity of the hull's centre of mass (m/s) and its angular velocity (rad/s).
    pub(super) fn velocity(&self) -> ([f64; 2], f64) {
        let hull = &self.world.bodies[self.bodies[0]];
        let velocity = hull.velocity_at_point(hull.position() * self.centre);
        ([f64::from(velocity.x), f64::from(velocity.y)], f64::from(hull.angvel()))
    }

    /// The corners of the hull and of the legs, in metres.
    pub(super) fn outlines(&self) -> ([[f64; 2]; 6], [[[f64; 2]; 4]; 2]) {
        let [w, h] = LEG_HALF;
        let leg = [[-w, -h], [w, -h], [w, h], [-w, h]];
        let [hull, right, left] = &self.places;
        (hull.outline(HULL), [right.outline(leg), left.outline(leg)])
    }

    /// Whether all bodies have rested for half a second.
    pub(super) fn is_asleep(&self) -> bool {
        f64::from(self.rested) >= TIME_TO_SLEEP * FPS
    }
}

fn place(world: &PhysicsWorld, handle: RigidBodyHandle) -> Place {
    let body = &world.bodies[handle];
    let origin = body.translation();
    let angle = f64::from(body.rotation().angle());
    Place { origin: [f64::from(origin.x), f64::from(origin.y)], angle }
}

fn vector([x, y]: [f64; 2]) -> Vector {
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
