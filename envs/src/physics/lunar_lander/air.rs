//! A step of time in the air: the craft's three bodies and two joints, as rapier2d 0.36.1 moves them
//! while nothing is near the ground, for several craft side by side.
//!
//! Each part repeats the arithmetic of the function of rapier that it names, operation by operation,
//! so that a craft passes from here to the engine without changing a bit. Left out is what cannot
//! change a bit: damping by 0, warm starts by 1, bounds that no finite impulse reaches, and sums with
//! zero where no velocity is −0 (each substep adds +0 first).

use std::sync::LazyLock;

use gymnast_base::wide;

use super::SUBSTEPS;
use super::joints::{Joint, Row, solve};
use super::terrain::Terrain;
use super::world::{SECONDS, World};

/// How many craft are moved at once, where there are several.
pub(super) const LANES: usize = 16;

/// The parts of a body: its origin, the cosine and the sine of its angle, the velocity of its centre
/// of mass, and its angular velocity.
pub(super) const X: usize = 0;
pub(super) const Y: usize = 1;
pub(super) const COS: usize = 2;
pub(super) const SIN: usize = 3;
pub(super) const VX: usize = 4;
pub(super) const VY: usize = 5;
pub(super) const SPIN: usize = 6;

/// Faster than so (m/s and rad/s) rapier may hold a body back, or turn it so far that it sweeps
/// ground that lies near neither its old nor its new place.
const FAST: [f32; 2] = [390.0, 30.0];

/// Bodies (the hull, the right and the left leg) and what their joints hold against: the impulses of
/// the motor, of the hinge in two directions and of the angle's limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion<T> {
    pub(super) bodies: [[T; 7]; 3],
    pub(super) impulses: [[T; 4]; 2],
}

impl<const N: usize> Motion<[f32; N]> {
    /// Every lane the same.
    fn splat(motion: &Motion<f32>) -> Self {
        let Motion { bodies, impulses } = motion;
        Self {
            bodies: bodies.map(|body| body.map(|x| [x; N])),
            impulses: impulses.map(|joint| joint.map(|x| [x; N])),
        }
    }

    fn set(&mut self, lane: usize, motion: &Motion<f32>) {
        let own = self.bodies.as_flattened_mut().iter_mut();
        own.zip(motion.bodies.as_flattened()).for_each(|(own, x)| own[lane] = *x);
        let own = self.impulses.as_flattened_mut().iter_mut();
        own.zip(motion.impulses.as_flattened()).for_each(|(own, x)| own[lane] = *x);
    }

    fn get(&self, lane: usize) -> Motion<f32> {
        Motion {
            bodies: self.bodies.map(|body| body.map(|x| x[lane])),
            impulses: self.impulses.map(|joint| joint.map(|x| x[lane])),
        }
    }
}

/// Craft that take a step side by side.
pub(super) struct Block<const N: usize> {
    motion: Motion<[f32; N]>,
    /// In m/s².
    gravity: [f32; N],
    /// Not zero where a body was fast.
    fast: [u32; N],
}

impl<const N: usize> Block<N> {
    pub(super) fn new() -> Self {
        Self { motion: Motion::splat(&CRAFT.start), gravity: [-1.0; N], fast: [0; N] }
    }

    pub(super) fn set(&mut self, lane: usize, motion: &Motion<f32>, gravity: f32) {
        self.motion.set(lane, motion);
        self.gravity[lane] = gravity;
    }

    /// The motion after the step; nothing if rapier has to take it.
    pub(super) fn get(&self, lane: usize) -> Option<Motion<f32>> {
        (self.fast[lane] == 0).then(|| self.motion.get(lane))
    }
}

wide! {
    /// Moves craft side by side.
    pub(super) fn move_several<FMA>(block: &mut Block<LANES>) {
        let _ = FMA; // rapier rounds each product
        step(&CRAFT, block);
    }
}

/// Moves one craft under this gravity (m/s²); nothing if rapier has to.
pub(super) fn move_one(motion: &Motion<f32>, gravity: f32) -> Option<Motion<f32>> {
    let mut block = Block::<1>::new();
    block.set(0, motion, gravity);
    step(&CRAFT, &mut block);
    block.get(0)
}

/// What rapier knows of the craft's bodies and joints, and where they start.
pub(super) struct Craft {
    /// The bodies' centres of mass from their origins, inverse masses and moments of inertia.
    pub(super) centres: [[f32; 2]; 3],
    pub(super) inverse_masses: [f32; 3],
    pub(super) inverse_inertias: [f32; 3],
    pub(super) joints: [Joint; 2],
    pub(super) start: Motion<f32>,
}

/// The one craft that there is.
pub(super) static CRAFT: LazyLock<Craft> = LazyLock::new(|| {
    let world = World::new(&Terrain::level(), -1.0);
    let bodies = world.bodies().map(|body| (body, body.mass_properties()));
    let centres = bodies.map(|(_, mass)| mass.local_mprops.local_com.to_array());
    let joints = [0, 1].map(|side| Joint::new(world.joint(side), [centres[0], centres[side + 1]]));
    let inverse_masses = bodies.map(|(_, mass)| mass.local_mprops.inv_mass);
    let inverse_inertias = bodies.map(|(_, mass)| mass.local_mprops.inv_principal_inertia);
    Craft { centres, inverse_masses, inverse_inertias, joints, start: world.motion() }
});

/// One step of time: `StagedIslandSolver::init_and_solve`, `run_worker` and
/// `PhysicsPipeline::advance_to_final_positions`.
#[inline(always)]
fn step<const N: usize>(craft: &Craft, block: &mut Block<N>) {
    let seconds = SECONDS / SUBSTEPS as f32;
    let Block { motion: Motion { bodies, impulses }, gravity, fast } = block;
    *fast = [0; N];
    let mut falls = [[0.0; N]; 3];
    for (i, body) in bodies.iter_mut().enumerate() {
        shift(body, craft.centres[i]);
        let inverse_mass = craft.inverse_masses[i];
        for l in 0..N {
            // `RigidBodyForces::compute_effective_force_and_torque`.
            let force = gravity[l] * (1.0 / inverse_mass);
            falls[i][l] = force * inverse_mass * seconds;
        }
    }
    let [hull, legs @ ..] = bodies;
    let mut rows = impulses.map(|joint| joint.map(Row::new));
    for _ in 0..SUBSTEPS {
        for (body, fall) in [&mut *hull].into_iter().chain(&mut *legs).zip(&falls) {
            for l in 0..N {
                body[VX][l] += 0.0;
                body[VY][l] += fall[l];
                body[SPIN][l] += 0.0;
            }
        }
        for (side, rows) in rows.iter_mut().enumerate() {
            let masses = [0, side + 1]
                .map(|body| [craft.inverse_masses[body], craft.inverse_inertias[body]]);
            craft.joints[side].build(masses, hull, &legs[side], rows);
        }
        solve(craft, hull, legs, &mut rows, true);
        for body in [&mut *hull].into_iter().chain(&mut *legs) {
            integrate(body, seconds, fast);
        }
        for (joint, rows) in craft.joints.iter().zip(&mut rows) {
            joint.forget_errors(rows);
        }
        solve(craft, hull, legs, &mut rows, false);
    }
    for (rows, impulses) in rows.iter().zip(impulses) {
        rows.iter().zip(impulses).for_each(|(row, impulse)| *impulse = row.impulse);
    }
    for (body, centre) in bodies.iter_mut().zip(craft.centres) {
        shift(body, centre.map(|x| -x));
    }
}

/// `Pose::prepend_translation`: from the origin to the centre of mass, and back.
#[inline(always)]
fn shift<const N: usize>(body: &mut [[f32; N]; 7], [x, y]: [f32; 2]) {
    let [xs, ys, cos, sin, ..] = body;
    for l in 0..N {
        xs[l] += cos[l] * x - sin[l] * y;
        ys[l] += sin[l] * x + cos[l] * y;
    }
}

/// `RigidBodyVelocity::integrate_linearized`.
#[inline(always)]
fn integrate<const N: usize>(body: &mut [[f32; N]; 7], seconds: f32, fast: &mut [u32; N]) {
    for l in 0..N {
        let [cos, sin, vx, vy, spin] = [COS, SIN, VX, VY, SPIN].map(|part| body[part][l]);
        let is_fast = (vx * vx + vy * vy > FAST[0] * FAST[0]) | (spin.abs() > FAST[1]);
        fast[l] |= u32::from(is_fast);
        let turn = spin * seconds;
        let (new_cos, new_sin) = (cos - turn * sin, sin + turn * cos);
        let length = (new_cos * new_cos + new_sin * new_sin).sqrt();
        body[COS][l] = new_cos / length;
        body[SIN][l] = new_sin / length;
        body[X][l] += vx * seconds;
        body[Y][l] += vy * seconds;
    }
}
