//! The joints of a craft in the air, as rapier2d 0.36.1 solves them, for several craft side by side.

use rapier2d::prelude::{ImpulseJoint, MotorModel, Pose, Rotation};

use super::air::{COS, Craft, SIN, SPIN, VX, VY, X, Y};
use super::world::SECONDS;
use super::{ITERATIONS, SUBSTEPS};

/// The greatest speed at which rapier corrects a joint's angle.
const MAX_CORRECTION: f32 = 3.0;

pub(super) struct Joint {
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

/// A row of a joint: one direction in which it holds, `JointConstraint`. The motor's has no linear
/// part.
#[derive(Clone, Copy)]
pub(super) struct Row<const N: usize> {
    line: [[f32; N]; 2],
    /// Of the hull and of the leg; the same times the inverse moments of inertia.
    arms: [[f32; N]; 2],
    turns: [[f32; N]; 2],
    inverse: [f32; N],
    gain: [f32; N],
    rhs: [f32; N],
    bounds: [[f32; N]; 2],
    pub(super) impulse: [f32; N],
}

impl Joint {
    /// `JointConstraintBuilder::generate`, `GenericJoint::transform_to_solver_body_space`,
    /// `AngularLimitParams::new` and `JointMotor::motor_params`, for bodies with these centres of mass.
    pub(super) fn new(joint: &ImpulseJoint, centres: [[f32; 2]; 2]) -> Self {
        let (data, seconds) = (&joint.data, SECONDS / SUBSTEPS as f32);
        let (motor, limits) = (&data.motors[2], &data.limits[2]);
        let (stiffness, _, gain) =
            motor.model.combine_coefficients(seconds, motor.stiffness, motor.damping);
        assert_eq!((motor.model, stiffness), (MotorModel::ForceBased, 0.0), "a damper");
        let frame = |frame: Pose, [cx, cy]: [f32; 2]| {
            let [x, y] = frame.translation.to_array();
            [x - cx, y - cy, frame.rotation.re, frame.rotation.im]
        };
        let frames = [frame(data.local_frame1, centres[0]), frame(data.local_frame2, centres[1])];
        let (sin, cos) = ((limits.min + limits.max) * 0.5).sin_cos();
        let (speed, max_impulse) = (motor.target_vel, motor.max_force * seconds);
        Self {
            frames,
            correction: data.softness.erp_inv_dt(seconds),
            softness: data.softness.cfm_coeff(seconds),
            motor: Motor { speed, gain, max_impulse },
            middle: [cos, sin],
            half_range: (limits.max - limits.min) * 0.5,
        }
    }

    /// `JointConstraint::remove_bias_from_rhs`.
    #[inline(always)]
    pub(super) fn forget_errors<const N: usize>(&self, rows: &mut [Row<N>; 4]) {
        rows.iter_mut().for_each(|row| row.rhs = [0.0; N]);
        rows[0].rhs = [-self.motor.speed; N];
    }

    /// Builds a joint's rows: `JointConstraint::update`, `JointConstraintHelper`'s `new`,
    /// `motor_angular`, `lock_linear`, `limit_angular` and `finalize_constraints`.
    #[inline(always)]
    pub(super) fn build<const N: usize>(
        &self,
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
            let (_, [cos1, sin1]) = frame(hull, self.frames[0], l);
            let (_, [cos2, sin2]) = frame(leg, self.frames[1], l);
            let (cos, sin) = (cos1 * cos2 - -sin1 * sin2, cos1 * sin2 + -sin1 * cos2);
            // `JointConstraintHelper::recentered_angle`.
            xs[l] = self.middle[0] * cos + self.middle[1] * sin;
            ys[l] = self.middle[0] * sin - self.middle[1] * cos;
        }
        let angles = atan2(&ys, &xs);
        let mass = m1 + m2;
        for l in 0..N {
            let ([x1, y1], [cos, sin]) = frame(hull, self.frames[0], l);
            let ([x2, y2], _) = frame(leg, self.frames[1], l);
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
                let rhs = (x * error[0] + y * error[1]) * self.correction;
                Direction { line: [x, y], arms, turns: [i1 * arms[0], i2 * arms[1]], rhs }
            };
            let (angle, half) = (angles[l], self.half_range);
            let over = positive(angle - half) - positive(-half - angle);
            let rhs = clamp(over * self.correction, -MAX_CORRECTION, MAX_CORRECTION);
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
                let gain = square * self.softness;
                (row.gain[l], row.inverse[l], row.rhs[l]) = (gain, 1.0 / (square + gain), from.rhs);
            }
            limit.bounds[0][l] = if angle <= -half { f32::NEG_INFINITY } else { 0.0 };
            limit.bounds[1][l] = if half <= angle { f32::INFINITY } else { 0.0 };
            motor.gain[l] = self.motor.gain;
            motor.inverse[l] = 1.0 / (i1 + i2 + self.motor.gain);
            motor.rhs[l] = -self.motor.speed;
        }
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

/// The iterations of half a substep over both joints, `solve_pass`; the first one may warm them up.
#[inline(always)]
pub(super) fn solve<const N: usize>(
    craft: &Craft,
    hull: &mut [[f32; N]; 7],
    legs: &mut [[[f32; N]; 7]; 2],
    rows: &mut [[Row<N>; 4]; 2],
    warm: bool,
) {
    for pass in 0..ITERATIONS {
        let warm = warm && pass == 0;
        for (side, ([motor, first, second, limit], leg)) in
            rows.iter_mut().zip(&mut *legs).enumerate()
        {
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
    /// A row that is yet to be built, with the impulse of the last step.
    #[inline(always)]
    pub(super) fn new(impulse: [f32; N]) -> Self {
        let zero = [0.0; N];
        Self {
            line: [zero; 2],
            arms: [zero; 2],
            turns: [zero; 2],
            inverse: zero,
            gain: zero,
            rhs: zero,
            bounds: [zero; 2],
            impulse,
        }
    }

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
