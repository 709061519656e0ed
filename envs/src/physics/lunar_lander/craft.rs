//! The lander and its legs: in the air by themselves, near the ground in the physics engine.

use std::sync::LazyLock;

use rapier2d::prelude::{Rotation, Vector};

use super::air::{self, Block, COS, CRAFT, LANES, Motion, SIN, SPIN, VX, VY, X, Y};
use super::approach::{Approach, Ground};
use super::terrain::Terrain;
use super::world::{HULL, LEG_HALF, SECONDS, World, hull_alone, vector};
use super::{FPS, SCALE};

/// Slower than so a body rests (m/s and rad/s): twice Box2D's bounds, since a lander that stands
/// trembles by up to 0.017 m/s here. After so many seconds of rest it sleeps.
const REST: [f64; 2] = [0.02, 4.0 / 180.0 * std::f64::consts::PI];
const TIME_TO_SLEEP: f64 = 0.5;

/// The hull's own centre of mass in Gymnasium, where the wind pushes and speed is measured.
static CENTRE: LazyLock<Vector> = LazyLock::new(|| hull_alone().local_com);

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

/// A lander above the surface.
#[derive(Clone)]
pub(super) struct Craft {
    /// After the last step and the pushes since then; in the engine these count from the next step.
    motion: Motion<f32>,
    approach: Approach,
    ground: Ground,
    /// Moves the craft from the first step near the ground on.
    engine: Option<Box<World>>,
    /// Where the bodies are, whole turns of the hull counted: the engine knows none.
    places: [Place; 3],
    gravity: f64,
    /// How many steps all bodies have rested.
    rested: u32,
}

impl std::fmt::Debug for Craft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Craft").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Craft {
    /// A lander in the middle of the sky, not moving.
    pub(super) fn new(terrain: &Terrain, gravity: f64) -> Self {
        Self {
            motion: CRAFT.start,
            approach: Approach::START,
            ground: Ground::new(terrain),
            engine: None,
            places: CRAFT.start.bodies.map(|body| place(&body)),
            gravity,
            rested: 0,
        }
    }

    /// The same, moved by the engine from the start.
    #[cfg(test)]
    pub(super) fn in_the_engine(terrain: &Terrain, gravity: f64) -> Self {
        let engine = Some(Box::new(World::new(terrain, gravity)));
        Self { engine, ..Self::new(terrain, gravity) }
    }

    /// Pushes the hull at a place of the world: an impulse in N·s.
    pub(super) fn push_at(&mut self, impulse: [f64; 2], place: [f64; 2]) {
        self.push(vector(impulse), vector(place));
    }

    fn push(&mut self, impulse: Vector, place: Vector) {
        if let Some(world) = &mut self.engine {
            world.body_mut(0).apply_impulse_at_point(impulse, place, true);
            return;
        }
        // `RigidBody::apply_impulse_at_point`.
        let hull = &mut self.motion.bodies[0];
        let arm = place - at(hull, CRAFT.centres[0].into());
        hull[VX] += impulse.x * CRAFT.inverse_masses[0];
        hull[VY] += impulse.y * CRAFT.inverse_masses[0];
        hull[SPIN] += CRAFT.inverse_inertias[0] * (arm.x * impulse.y - arm.y * impulse.x);
    }

    /// A force (N) on the hull's centre of mass and a torque (N·m) during the next step.
    pub(super) fn force(&mut self, force: [f64; 2], torque: f64) {
        self.push(vector(force) * SECONDS, at(&self.motion.bodies[0], *CENTRE));
        let torque = torque as f32 * SECONDS;
        match &mut self.engine {
            Some(world) => world.body_mut(0).apply_torque_impulse(torque, true),
            None => self.motion.bodies[0][SPIN] += CRAFT.inverse_inertias[0] * torque,
        }
    }

    /// Lets a step of time pass.
    pub(super) fn step(&mut self, terrain: &Terrain) {
        let is_in_the_air = self.is_in_the_air();
        let after = is_in_the_air.then(|| air::move_one(&self.motion, self.gravity as f32));
        self.settle(after.flatten().as_ref(), terrain);
    }

    /// Enters a lane of a block, if it is in the air.
    pub(super) fn enter(&self, block: &mut Block<LANES>, lane: usize) {
        if self.is_in_the_air() {
            block.set(lane, &self.motion, self.gravity as f32);
        }
    }

    /// Ends a step that led to this motion in the air, or lets the engine take it.
    pub(super) fn settle(&mut self, after: Option<&Motion<f32>>, terrain: &Terrain) {
        use std::f64::consts::TAU;

        let Self { motion, approach, ground, engine, gravity, .. } = self;
        let follow = |after| Some((after, approach.follow(motion, after, ground, terrain)?));
        match after.filter(|_| engine.is_none()).and_then(follow) {
            Some((after, next)) => (*motion, *approach) = (*after, next),
            None => {
                let take_over = || Box::new(World::of(motion, approach, terrain, *gravity));
                let world = engine.get_or_insert_with(take_over);
                world.step();
                *motion = world.motion();
            }
        }
        let mut places = self.motion.bodies.map(|body| place(&body));
        for (now, before) in places.iter_mut().zip(&self.places) {
            now.angle += TAU * ((before.angle - now.angle) / TAU).round();
        }
        let all_rest = places.iter().zip(&self.places).all(|(now, before)| now.rests(before));
        self.rested = if all_rest { self.rested.saturating_add(1) } else { 0 };
        self.places = places;
    }

    /// Whether it is in the air, too high to touch the ground.
    pub(super) fn is_in_the_air(&self) -> bool {
        self.engine.is_none()
    }

    #[cfg(test)]
    pub(super) fn motion(&self) -> &Motion<f32> {
        &self.motion
    }

    /// Where the hull is, whole turns counted.
    pub(super) fn hull(&self) -> Place {
        self.places[0]
    }

    /// The velocity of the hull's centre of mass (m/s) and its angular velocity (rad/s).
    pub(super) fn velocity(&self) -> ([f64; 2], f64) {
        // `RigidBody::velocity_at_point`.
        let hull = &self.motion.bodies[0];
        let arm = at(hull, *CENTRE) - at(hull, CRAFT.centres[0].into());
        let spin = hull[SPIN];
        let [vx, vy] = [hull[VX] + -arm.y * spin, hull[VY] + arm.x * spin];
        ([f64::from(vx), f64::from(vy)], f64::from(spin))
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

fn place(body: &[f32; 7]) -> Place {
    let angle = Rotation::from_cos_sin_unchecked(body[COS], body[SIN]).angle();
    Place { origin: [f64::from(body[X]), f64::from(body[Y])], angle: f64::from(angle) }
}

/// A point of a body, in the world: `Pose::transform_point`.
fn at(body: &[f32; 7], point: Vector) -> Vector {
    Rotation::from_cos_sin_unchecked(body[COS], body[SIN]) * point + Vector::new(body[X], body[Y])
}
