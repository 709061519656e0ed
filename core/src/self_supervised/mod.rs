//! Self-supervised learning: pretraining on rows without labels, then fine-tuning on few labelled
//! rows.
//!
//! **Phase 1**: an encoder and a projection head ([`Sequential`](crate::nn::Sequential)) are trained by
//! [`supervised`](crate::supervised) with [`FitConfig::views`](crate::supervised::FitConfig::views) = 2 and
//! one of these objectives:
//!
//! | objective | what it asks | source |
//! |---|---|---|
//! | [`NtXent`] | each view finds the other of its row among all 2N − 1 | SimCLR |
//! | [`InfoNce`] | each first view finds its second among N | CPC, CLIP |
//! | [`SimSiam`] | one view's embedding predicts the other's | SimSiam |
//! | [`Byol`] | it predicts a moving average's embedding of the other | BYOL |
//! | [`Denoising`] of [`reconstruction`], 1 view | the row is made of a corrupted copy | denoising autoencoder |
//! | [`MaskedReconstruction`] of it, 1 view | what was masked is made of what was not | masked autoencoder |
//!
//! Views depend only on the stream and the step, so a pretraining resumes from its checkpoint bit
//! for bit. With [`SimSiam`] and [`Byol`] a collapsed network has the lowest loss, so the last
//! epoch is kept, not the best, and training never stops early. The loss does not reveal a failed
//! pretraining: [`diagnose_collapse`] does, and [`alignment`] and [`uniformity`] describe the
//! embeddings.
//!
//! **Phase 2**: another network loads the encoder
//! ([`load_encoder`](crate::nn::Sequential::load_encoder)) and adds a head for the task;
//! [`FineTuning`] chooses which parts are trained. For sequences use
//! [`Ctc`](crate::supervised::Ctc).
//!
//! ```
//! use gymnast_core::data::{Augmentation, Dataset};
//! use gymnast_core::loss::Loss;
//! use gymnast_core::nn::{Activation, LayerConfig, NetworkConfig, Sequential};
//! use gymnast_core::self_supervised::{FineTuning, NtXent, diagnose_collapse};
//! use gymnast_core::supervised::{FitConfig, fit};
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha8Rng;
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let inputs: Vec<f32> = (0..256).map(|i| ((i * 37) % 101) as f32 / 101.0).collect();
//! let classes: Vec<f32> = inputs.chunks(4).map(|x| f32::from(u8::from(x[0] > x[1]))).collect();
//! let data = Dataset::new(inputs, 4, classes, 1)?;
//! let (labelled, nothing) = (data.select(&[0, 1, 2, 3])?, data.select(&[])?);
//!
//! let encoder = NetworkConfig::mlp(&[16], Activation::Relu);
//! let projector = vec![LayerConfig::linear(16), Activation::Relu.into(), LayerConfig::linear(8)];
//! let mut network = Sequential::new(&encoder.clone().with_head(projector), &[4], &mut rng)?;
//! let config = FitConfig {
//!     epochs: 5,
//!     views: 2,
//!     augmentations: vec![Augmentation::GaussianNoise { std: 0.1 }],
//!     ..FitConfig::adam(1e-2)
//! };
//! fit(&mut network, &data, &nothing, &config, rng.clone(), &NtXent { temperature: 0.5 })?;
//! println!("{}", diagnose_collapse(&network.embed(&data.batch(&[0, 1, 2, 3]).inputs()), &Default::default())?);
//!
//! let mut classifier = Sequential::new(&encoder.linear_head(2), &[4], &mut rng)?;
//! classifier.load_encoder(&network)?;
//! let param_groups = FineTuning::LinearProbe.prepare(&mut classifier)?;
//! let config = FitConfig { epochs: 5, param_groups, ..FitConfig::adam(1e-2) };
//! fit(&mut classifier, &labelled, &nothing, &config, rng, &Loss::cross_entropy())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod autoencoder;
mod byol;
mod collapse;
mod embedding;
mod fine_tuning;
mod objectives;
#[cfg(test)]
mod tests;

pub use autoencoder::{Denoising, MaskedReconstruction, reconstruction};
pub use byol::{Byol, ByolNetwork};
pub use collapse::{Collapse, CollapseDiagnosis, CollapseThresholds, diagnose_collapse};
pub use embedding::{alignment, effective_rank, normalized_std, uniformity};
pub use fine_tuning::FineTuning;
pub use objectives::{InfoNce, NtXent, SimSiam};
