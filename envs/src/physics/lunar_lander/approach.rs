//! What rapier2d 0.36.1 remembers of a craft in the air, and how near the ground is.
//!
//! The engine keeps a fattened box of each body and renews it when the body leaves it. A body whose
//! box meets the ground's is looked at for contacts, but only after it has moved by the prediction
//! distance since the last look. Whether a contact is found in this step or in the next depends on
//! these two, so they are followed here, with the engine's arithmetic, until it takes over.

use std::sync::LazyLock;

use rapier2d::parry::shape::HeightField;
use rapier2d::prelude::{Pose, Vector};

use super::air::{COS, Motion, SIN, X, Y};
use super::terrain::{Terrain, WORLD};
use super::world::{World, vector};

/// The engine's prediction distance, in metres.
const PREDICTION: f32 = 0.02;
/// By how much boxes in the tree are fattened, in metres.
const SKIN: f32 = 0.04;
/// The engine takes over when a body comes so near to the ground, in metres: twice `PREDICTION`.
const NEAR: f32 = 0.04;
/// How far a corner, at 1.2 m from the hinge, strays between a step's ends from the boxes around
/// both, in metres for each square radian: 1.2 / 8, and something for turns of half a radian.
const STRAY: f32 = 0.2;

/// The smallest x and y, and the greatest.
type Box2 = [f32; 4];

/// The ground as the engine's broad phase has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    boxed: Box2,
    /// From its origin to its farthest corner, in metres.
    extent: f32,
}

impl Ground {
    pub(super) fn new(terrain: &Terrain) -> Self {
        let heights = terrain.0.iter().map(|&height| height as f32).collect();
        let field = HeightField::new(heights, Vector::new(WORLD[0] as f32, 1.0));
        let own = field.local_aabb();
        let boxed = field.aabb(&Pose::from_translation(vector([WORLD[0] / 2.0, 0.0])));
        let extent = own.mins.length().max(own.maxs.length());
        Self { boxed: loosened([boxed.mins.x, boxed.mins.y, boxed.maxs.x, boxed.maxs.y]), extent }
    }
}

/// What the engine remembers of the three bodies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Approach {
    /// Their boxes when these were renewed, without the skin.
    boxes: [Box2; 3],
    /// Their boxes now.
    now: [Box2; 3],
    /// Where those whose box meets the ground's were at the last look: x, y, cosine and sine.
    seen: [Option<[f32; 4]>; 3],
}

impl Approach {
    /// A craft that starts: its first step renews the boxes.
    pub(super) const START: Self =
        Self { boxes: [[f32::NAN; 4]; 3], now: [[f32::NAN; 4]; 3], seen: [None; 3] };

    /// Follows a step in the air; nothing if it led near the ground, so that the engine has to take
    /// it.
    pub(super) fn follow(
        &self,
        before: &Motion<f32>,
        after: &Motion<f32>,
        ground: &Ground,
        terrain: &Terrain,
    ) -> Option<Self> {
        let mut next = *self;
        for (i, (old, new)) in before.bodies.iter().zip(&after.bodies).enumerate() {
            let pose = [new[X], new[Y], new[COS], new[SIN]];
            let now = SHAPES.boxed(i, pose);
            let turned = [COS, SIN].map(|part| new[part] - old[part]);
            let near = NEAR + STRAY * (turned[0] * turned[0] + turned[1] * turned[1]);
            // The NaN of the first step is dropped.
            let [x1, y1, x2, _] = fattened(merged(self.now[i], now), near);
            let is_above = |top: fn(&Terrain, f64, f64) -> f64| {
                y1 > ground.boxed[3] || f64::from(y1) > top(terrain, x1.into(), x2.into())
            };
            if !is_above(Terrain::highest) {
                return None;
            }
            next.now[i] = now;
            // `Bvh::insert_with_change_detection`.
            if !contains(fattened(self.boxes[i], SKIN), now) {
                next.boxes[i] = now;
            }
            // `BroadPhaseBvh::update` and `process_pair`.
            let meets = meets(fattened(next.boxes[i], SKIN), ground.boxed);
            let last = self.seen[i].filter(|seen| meets && has_stayed(*seen, pose, ground.extent));
            // A look at pieces of the ground that lie beside the body would be remembered too.
            if meets && last.is_none() && !is_above(Terrain::top) {
                return None;
            }
            next.seen[i] = meets.then_some(last.unwrap_or(pose));
        }
        Some(next)
    }

    /// Where the body was when the engine last looked for its contacts, if it did.
    pub(super) fn seen(&self, i: usize) -> Option<[f32; 4]> {
        self.seen[i]
    }

    /// The body's box when it was renewed.
    pub(super) fn boxed(&self, i: usize) -> Box2 {
        self.boxes[i]
    }

    /// A box around this one and the one of where the body was last seen.
    pub(super) fn both_boxes(&self, i: usize) -> Box2 {
        self.seen[i].map_or(self.boxes[i], |seen| merged(self.boxes[i], SHAPES.boxed(i, seen)))
    }
}

/// The corners of the hull and half the sides of a leg.
struct Shapes {
    hull: Vec<[f32; 2]>,
    half: [f32; 2],
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let world = World::new(&Terrain::level(), -1.0);
    let [hull, leg, _] = world.colliders();
    let hull = hull.shape().as_convex_polygon().expect("the hull is a polygon");
    let leg = leg.shape().as_cuboid().expect("a leg is a box");
    Shapes {
        hull: hull.points().iter().copied().map(Into::into).collect(),
        half: leg.half_extents.to_array(),
    }
});

impl Shapes {
    /// `Collider::compute_collision_aabb` for the broad phase.
    fn boxed(&self, i: usize, [x, y, cos, sin]: [f32; 4]) -> Box2 {
        let own = if i > 0 {
            let [w, h] = self.half;
            let (w, h) = (cos.abs() * w + sin.abs() * h, sin.abs() * w + cos.abs() * h);
            [x - w, y - h, x + w, y + h]
        } else {
            let corners = self.hull.iter().map(|[px, py]| {
                let (x, y) = ((cos * px - sin * py) + x, (sin * px + cos * py) + y);
                [x, y, x, y]
            });
            corners.reduce(merged).expect("a polygon has corners")
        };
        loosened(own)
    }
}

/// `relative_pose_drift` and `relative_rot_cos`, for a body and the ground.
fn has_stayed(seen: [f32; 4], [x, y, cos, sin]: [f32; 4], extent: f32) -> bool {
    let half = (WORLD[0] / 2.0) as f32;
    let [dx, dy] = [(-half + x) - (-half + seen[0]), y - seen[1]];
    let [cos0, sin0] = [seen[2], -seen[3]];
    let (turn_cos, turn_sin) = (cos * cos0 - sin * sin0, cos * sin0 + sin * cos0);
    let denominator = 2.0 * (1.0 + turn_cos);
    let half_sin = if denominator > 1e-6 { turn_sin.abs() / denominator.sqrt() } else { 1.0 };
    let drift = (dx * dx + dy * dy).sqrt() + 2.0 * half_sin * extent;
    drift <= PREDICTION && cos * seen[2] + sin * seen[3] > 0.98
}

fn loosened([x1, y1, x2, y2]: Box2) -> Box2 {
    fattened([x1, y1, x2, y2], PREDICTION / 2.0)
}

fn fattened([x1, y1, x2, y2]: Box2, by: f32) -> Box2 {
    [x1 - by, y1 - by, x2 + by, y2 + by]
}

fn merged(a: Box2, b: Box2) -> Box2 {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

fn contains(a: Box2, b: Box2) -> bool {
    a[0] <= b[0] && a[1] <= b[1] && a[2] >= b[2] && a[3] >= b[3]
}

fn meets(a: Box2, b: Box2) -> bool {
    a[0] <= b[2] && a[1] <= b[3] && a[2] >= b[0] && a[3] >= b[1]
}
