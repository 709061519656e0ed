//! A step of time in the air: the craft's three bodies and two joints, as rapier2d 0.36.1 moves them
//! while nothing is near the ground, for several craft side by side.
//!
//! Each part repeats the arithmetic of the function of rapier that it names, operation by operation,
//! so that a craft passes from here to the engine without changing a bit. Left out is what cannot
//! change a bit: damping by 0, warm starts by 1, bounds that no finite impulse reaches, and sums with
//! zero where no velocity is −0 (each substep adds +0 first).

use std::sync::LazyLock;

use gymnast_base::wide;
use rapier2d::prelude::{MotorModel, Rotation};

use super::world::{SECONDS, World};
use super::{ITERATIONS, SUBSTEPS, terrain::Terrain};

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
/// The greatest speed at which rapier corrects a joint's angle.
const MAX_CORRECTION: f32 = 3.0;

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
    joints: [Joint; 2],
    pub(super) start: Motion<f32>,
}

struct Joint {
    /// The hinge from the hull's and from the leg's centre of mass, and its directions: x, y, cosine
    /// and sine.
    frames: [[f32; 4]; 2],
    /// How fast an error is corrected, and how softly.
    correction: f32,
    softness: f32,
    motor: Motor,
    /// The middle of the allowed angles, its cosine and sine, and half their range.
    middle: [f32; 2],
    half_range: f32,
}

struct Motor {
    speed: f32,
    gain: f32,
    max_impulse: f32,
}

/// `JointConstraintBuilder::generate`, `GenericJoint::transform_to_solver_body_space`,
/// `AngularLimitParams::new` and `JointMotor::motor_params`.
pub(super) static CRAFT: LazyLock<Craft> = LazyLock::new(|| {
    let world = World::new(&Terrain::level(), -1.0);
    let bodies = world.bodies().map(|body| (body, body.mass_properties()));
    let centres = bodies.map(|(_, mass)| mass.local_mprops.local_com.to_array());
    let seconds = SECONDS / SUBSTEPS as f32;
    let joints = [0, 1].map(|side| {
        let data = &world.joint(side).data;
        let (motor, limits) = (&data.motors[2], &data.limits[2]);
        let coefficients =
            motor.model.combine_coefficients(seconds, motor.stiffness, motor.damping);
        assert_eq!((motor.model, coefficients.0), (MotorModel::ForceBased, 0.0));
        let frames =
            [(data.local_frame1, 0), (data.local_frame2, side + 1)].map(|(frame, body)| {
                let [x, y] = frame.translation.to_array();
                [x - centres[body][0], y - centres[body][1], frame.rotation.re, frame.rotation.im]
            });
        let (sin, cos) = ((limits.min + limits.max) * 0.5).sin_cos();
        Joint {
            frames,
            correction: data.softness.erp_inv_dt(seconds),
            softness: data.softness.cfm_coeff(seconds),
            motor: Motor {
                speed: motor.target_vel,
                gain: coefficients.2,
                max_impulse: motor.max_force * seconds,
            },
            middle: [cos, sin],
            half_range: (limits.max - limits.min) * 0.5,
        }
    });
    let inverse_masses = bodies.map(|(_, mass)| mass.local_mprops.inv_mass);
    let inverse_inertias = bodies.map(|(_, mass)| mass.local_mprops.inv_principal_inertia);
    Craft { centres, inverse_masses, inverse_inertias, joints, start: world.motion() }
});

/// A row of a joint: one direction in which it holds, `JointConstraint`. The motor's has no linear
/// part.
#[derive(Clone, Copy)]
struct Row<const N: usize> {
    line: [[f32; N]; 2],
    /// Of the hull and of the leg; the same times the inverse moments of inertia.
    arms: [[f32; N]; 2],
    turns: [[f32; N]; 2],
    inverse: [f32; N],
    gain: [f32; N],
    rhs: [f32; N],
    bounds: [[f32; N]; 2],
    impulse: [f32; N],
}

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
    let zero = [0.0; N];
    let row = Row {
        line: [zero; 2],
        arms: [zero; 2],
        turns: [zero; 2],
        inverse: zero,
        gain: zero,
        rhs: zero,
        bounds: [zero; 2],
        impulse: zero,
    };
    let mut rows = [[row; 4]; 2];
    for (rows, impulses) in rows.iter_mut().zip(&*impulses) {
        rows.iter_mut().zip(impulses).for_each(|(row, impulse)| row.impulse = *impulse);
    }
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
            build(&craft.joints[side], masses, hull, &legs[side], rows);
        }
        for pass in 0..ITERATIONS {
            solve(craft, hull, legs, &mut rows, pass == 0);
        }
        for body in [&mut *hull].into_iter().chain(&mut *legs) {
            integrate(body, seconds, fast);
        }
        for (joint, rows) in craft.joints.iter().zip(&mut rows) {
            rows.iter_mut().for_each(|row| row.rhs = zero);
            rows[0].rhs = [-joint.motor.speed; N];
        }
        for _ in 0..ITERATIONS {
            solve(craft, hull, legs, &mut rows, false);
        }
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
    for l in 0..N {
        let (cos, sin) = (body[COS][l], body[SIN][l]);
        body[X][l] += cos * x - sin * y;
        body[Y][l] += sin * x + cos * y;
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

/// Builds a joint's rows: `JointConstraint::update`, `JointConstraintHelper`'s `new`,
/// `motor_angular`, `lock_linear`, `limit_angular` and `finalize_constraints`.
#[inline(always)]
fn build<const N: usize>(
    joint: &Joint,
    [[m1, i1], [m2, i2]]: [[f32; 2]; 2],
    hull: &[[f32; N]; 7],
    leg: &[[f32; N]; 7],
    [motor, first, second, limit]: &mut [Row<N>; 4],
) {
    // The hinge as the hull and as the leg have it, `Pose * Pose`.
    let frame = |body: &[[f32; N]; 7], [fx, fy, fcos, fsin]: [f32; 4], l: usize| {
        let [x, y, cos, sin] = [X, Y, COS, SIN].map(|part| body[part][l]);
        let place = [x + (cos * fx - sin * fy), y + (sin * fx + cos * fy)];
        (place, [cos * fcos - sin * fsin, cos * fsin + sin * fcos])
    };
    let (mut ys, mut xs) = ([0.0; N], [0.0; N]);
    for l in 0..N {
        let (_, [cos1, sin1]) = frame(hull, joint.frames[0], l);
        let (_, [cos2, sin2]) = frame(leg, joint.frames[1], l);
        let (cos, sin) = (cos1 * cos2 - -sin1 * sin2, cos1 * sin2 + -sin1 * cos2);
        // `JointConstraintHelper::recentered_angle`.
        xs[l] = joint.middle[0] * cos + joint.middle[1] * sin;
        ys[l] = joint.middle[0] * sin - joint.middle[1] * cos;
    }
    let angles = atan2(&ys, &xs);
    let mass = m1 + m2;
    for l in 0..N {
        let ([x1, y1], [cos, sin]) = frame(hull, joint.frames[0], l);
        let ([x2, y2], _) = frame(leg, joint.frames[1], l);
        let lines = [[cos, sin], [-sin, cos]];
        let error = [x2 - x1, y2 - y1];
        let mut hinge = [x2, y2];
        let off = lines.map(|[x, y]| error[0] * x + error[1] * y);
        for (line, off) in lines.iter().zip(off) {
            hinge = [hinge[0] - line[0] * off, hinge[1] - line[1] * off];
        }
        let r1 = [hinge[0] - hull[X][l], hinge[1] - hull[Y][l]];
        let r2 = [x2 - leg[X][l], y2 - leg[Y][l]];

        let lock = |[x, y]: [f32; 2]| {
            let arms = [r1, r2].map(|[rx, ry]| -ry * x + rx * y);
            let rhs = (x * error[0] + y * error[1]) * joint.correction;
            Direction { line: [x, y], arms, turns: [i1 * arms[0], i2 * arms[1]], rhs }
        };
        let (angle, half) = (angles[l], joint.half_range);
        let over = positive(angle - half) - positive(-half - angle);
        let rhs = clamp(over * joint.correction, -MAX_CORRECTION, MAX_CORRECTION);
        let free = Direction { line: [0.0; 2], arms: [1.0; 2], turns: [i1, i2], rhs };
        let a = lock(lines[0]);
        let aa = a.times(&a, mass);
        let b = lock(lines[1]).without(&a, 1.0 / aa, mass);
        let bb = b.times(&b, mass);
        let c = free.without(&a, 1.0 / aa, mass).without(&b, 1.0 / bb, mass);
        let cc = c.times(&c, mass);
        for (row, from, square) in
            [(&mut *first, a, aa), (&mut *second, b, bb), (&mut *limit, c, cc)]
        {
            for i in 0..2 {
                (row.line[i][l], row.arms[i][l]) = (from.line[i], from.arms[i]);
                row.turns[i][l] = from.turns[i];
            }
            let gain = square * joint.softness;
            (row.gain[l], row.inverse[l], row.rhs[l]) = (gain, 1.0 / (square + gain), from.rhs);
        }
        limit.bounds[0][l] = if angle <= -half { f32::NEG_INFINITY } else { 0.0 };
        limit.bounds[1][l] = if half <= angle { f32::INFINITY } else { 0.0 };
        motor.gain[l] = joint.motor.gain;
        motor.inverse[l] = 1.0 / (i1 + i2 + joint.motor.gain);
        motor.rhs[l] = -joint.motor.speed;
    }
}

/// What a row of one craft holds against, while the rows are made orthogonal.
#[derive(Clone, Copy)]
struct Direction {
    line: [f32; 2],
    arms: [f32; 2],
    turns: [f32; 2],
    rhs: f32,
}

impl Direction {
    #[inline(always)]
    fn times(&self, other: &Self, mass: f32) -> f32 {
        let (a, b) = (self, other);
        a.line[0] * (mass * b.line[0])
            + a.line[1] * (mass * b.line[1])
            + a.turns[0] * b.arms[0]
            + a.turns[1] * b.arms[1]
    }

    /// What is left without its part along another direction, whose square has this inverse.
    #[inline(always)]
    fn without(&self, other: &Self, inverse: f32, mass: f32) -> Self {
        let share = self.times(other, mass) * inverse;
        let less = |a: [f32; 2], b: [f32; 2]| [a[0] - b[0] * share, a[1] - b[1] * share];
        Self {
            line: less(self.line, other.line),
            arms: less(self.arms, other.arms),
            turns: less(self.turns, other.turns),
            rhs: self.rhs - other.rhs * share,
        }
    }
}

/// One iteration over both joints, `solve_pass`; the first of a substep warms them up.
#[inline(always)]
fn solve<const N: usize>(
    craft: &Craft,
    hull: &mut [[f32; N]; 7],
    legs: &mut [[[f32; N]; 7]; 2],
    rows: &mut [[Row<N>; 4]; 2],
    warm: bool,
) {
    for (side, ([motor, first, second, limit], leg)) in rows.iter_mut().zip(legs).enumerate() {
        let masses = [craft.inverse_masses[0], craft.inverse_masses[side + 1]];
        let turns = [craft.inverse_inertias[0], craft.inverse_inertias[side + 1]];
        let max = craft.joints[side].motor.max_impulse;
        for l in 0..N {
            if warm {
                hull[SPIN][l] += turns[0] * motor.impulse[l];
                leg[SPIN][l] -= turns[1] * motor.impulse[l];
            }
            let rhs = leg[SPIN][l] - hull[SPIN][l] + motor.rhs[l];
            let delta = motor.add(l, rhs, |total| clamp(total, -max, max));
            hull[SPIN][l] += turns[0] * delta;
            leg[SPIN][l] -= turns[1] * delta;
        }
        hold(hull, leg, first, masses, warm, |_, total| total);
        hold(hull, leg, second, masses, warm, |_, total| total);
        let [low, high] = limit.bounds;
        hold(hull, leg, limit, masses, warm, |l, total| clamp(total, low[l], high[l]));
    }
}

/// `JointConstraint::solve_generic`, and `warmstart_generic` before it.
#[inline(always)]
fn hold<const N: usize>(
    hull: &mut [[f32; N]; 7],
    leg: &mut [[f32; N]; 7],
    row: &mut Row<N>,
    masses: [f32; 2],
    warm: bool,
    bound: impl Fn(usize, f32) -> f32,
) {
    for l in 0..N {
        if warm {
            push(hull, leg, row, masses, l, row.impulse[l]);
        }
        let along = row.line[0][l] * (leg[VX][l] - hull[VX][l])
            + row.line[1][l] * (leg[VY][l] - hull[VY][l]);
        let around = row.arms[1][l] * leg[SPIN][l] - row.arms[0][l] * hull[SPIN][l];
        let delta = row.add(l, along + around + row.rhs[l], |total| bound(l, total));
        push(hull, leg, row, masses, l, delta);
    }
}

#[inline(always)]
fn push<const N: usize>(
    hull: &mut [[f32; N]; 7],
    leg: &mut [[f32; N]; 7],
    row: &Row<N>,
    masses: [f32; 2],
    l: usize,
    impulse: f32,
) {
    let [x, y] = [row.line[0][l] * impulse, row.line[1][l] * impulse];
    hull[VX][l] += x * masses[0];
    hull[VY][l] += y * masses[0];
    hull[SPIN][l] += row.turns[0][l] * impulse;
    leg[VX][l] -= x * masses[1];
    leg[VY][l] -= y * masses[1];
    leg[SPIN][l] -= row.turns[1][l] * impulse;
}

impl<const N: usize> Row<N> {
    /// Adds to the impulse what this right-hand side asks for, within bounds, and returns it.
    #[inline(always)]
    fn add(&mut self, l: usize, rhs: f32, bound: impl Fn(f32) -> f32) -> f32 {
        let impulse = self.impulse[l];
        let total = bound(impulse + self.inverse[l] * (rhs - self.gain[l] * impulse));
        self.impulse[l] = total;
        total - impulse
    }
}

#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

#[inline(always)]
fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// The arc tangents that rapier takes, libm's `atan2f`: those of small angles side by side, in the
/// order of its polynomial.
#[inline(always)]
pub(super) fn atan2<const N: usize>(ys: &[f32; N], xs: &[f32; N]) -> [f32; N] {
    const A: [f32; 5] =
        [3.333_332_8e-1, -1.999_915_8e-1, 1.425_363_6e-1, -1.064_801_74e-1, 6.168_760_7e-2];
    let (mut angles, mut others) = ([0.0; N], 0);
    for l in 0..N {
        let tan = (ys[l] / xs[l]).abs();
        let z = tan * tan;
        let w = z * z;
        let odd = z * (A[0] + w * (A[2] + w * A[4]));
        let even = w * (A[1] + w * A[3]);
        let angle = if tan < 1.0 / 4096.0 { tan } else { tan - tan * (odd + even) };
        angles[l] = angle.copysign(ys[l]);
        others |= u32::from(!((tan < 0.4375) & (xs[l] > 0.0)));
    }
    if others != 0 {
        for l in 0..N {
            angles[l] = Rotation::from_cos_sin_unchecked(xs[l], ys[l]).angle();
        }
    }
    angles
}
