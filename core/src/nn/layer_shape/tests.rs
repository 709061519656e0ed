use super::*;
use crate::init::Init;
use crate::nn::NetworkConfig;

#[test]
fn descriptions_that_do_not_fit_are_errors() {
    let error = |layers: Vec<LayerConfig>, input: &[usize]| {
        let config = NetworkConfig::default().with_head(layers);
        let error = config.check(input).unwrap_err();
        error.to_string()
    };
    let picture = &[4, 4, 2][..];
    for (layer, input, expected) in [
        (LayerConfig::linear(3), picture, "head.0 (linear) needs rows"),
        (LayerConfig::linear(0), &[3], "outputs from 1"),
        (LayerConfig::linear(3), &[0], "at least 1"),
        (LayerConfig::linear(3), &[], "[]"),
        (LayerConfig::linear(3), &[1, 2, 3, 4], "[1, 2, 3, 4]"),
        (LayerConfig::conv2d(3, 3, 1), &[9], "(conv2d) needs pictures [H, W, C], got rows [9]"),
        (LayerConfig::conv2d(3, 5, 0), picture, "does not fit into 4 by 4"),
        (LayerConfig::conv2d(3, 3, 3), picture, "padding below the kernel, got 3"),
        (LayerConfig::max_pool(0), picture, "a kernel from 1"),
        (LayerConfig::MaxPool { kernel: 2, stride: Some(0), padding: 0 }, picture, "a stride"),
        (LayerConfig::AvgPool { kernel: 2, stride: None, padding: 2 }, picture, "at most half"),
        (LayerConfig::GlobalAvgPool, &[9], "pictures"),
        (LayerConfig::PRelu { per_channel: true, slope: f32::NAN }, &[9], "a finite slope"),
        (LayerConfig::BatchNorm { momentum: 1.5, eps: 1e-5 }, &[9], "momentum"),
        (LayerConfig::LayerNorm { eps: 0.0 }, &[9], "eps > 0, got 0"),
        (LayerConfig::RmsNorm { eps: Some(f64::INFINITY) }, &[9], "eps > 0"),
        (LayerConfig::InstanceNorm { eps: 1e-5, affine: true }, &[1, 1, 4], "more than one pixel"),
        (LayerConfig::GroupNorm { groups: 4, eps: 1e-5 }, &[9], "groups of [9]"),
        (LayerConfig::GroupNorm { groups: 9, eps: 1e-5 }, &[9], "more than one number"),
        (LayerConfig::GroupNorm { groups: 0, eps: 1e-5 }, &[9], "groups of [9]"),
        (LayerConfig::Dropout { p: 1.0 }, &[9], "in [0, 1), got 1"),
        (LayerConfig::Dropout { p: f64::NAN }, &[9], "got NaN"),
    ] {
        let error = error(vec![layer.clone()], input);
        assert!(error.contains(expected), "{layer:?}: {error}");
    }
    let (weight, bias) = (Init::LinearDefault, Init::Orthogonal { gain: 1.0 });
    assert!(
        error(vec![LayerConfig::Linear { outputs: 2, weight, bias }], &[3]).contains("shape [2]")
    );
}

#[test]
fn a_strangers_description_takes_no_memory() {
    let huge = usize::MAX;
    let conv = |channels, kernel, padding| LayerConfig::conv2d(channels, kernel, padding);
    let wide = LayerConfig::linear(1 << 24);
    for (layers, input) in [
        (vec![LayerConfig::linear(huge)], &[3][..]),
        (vec![wide.clone(), wide], &[1]),
        (vec![LayerConfig::Flatten; MAX_LAYERS + 1], &[3]),
        (vec![LayerConfig::Softmax; 5], &[1 << 24]),
        (vec![conv(1, huge, huge - 1)], &[4, 4, 2]),
        (vec![conv(huge, 1, 0)], &[4, 4, 2]),
        (vec![conv(1, 1 << 20, (1 << 20) - 1)], &[4, 4, 2]),
        (vec![conv(1, 4000, 3999)], &[28, 28]),
        (vec![conv(1 << 20, 1, 0), conv(1 << 20, 1, 0)], &[1, 1, 1]),
        (vec![LayerConfig::Flatten], &[huge, huge]),
    ] {
        let config = NetworkConfig::default().with_head(layers);
        let error = config.check(input).unwrap_err();
        let refused = matches!(error, NetworkError::TooLarge { .. } | NetworkError::Layer { .. });
        assert!(refused, "{input:?}: {error}");
    }
    assert!(serde_json::from_str::<NetworkConfig>(r#"{"layers": []}"#).is_err());
    assert!(serde_json::from_str::<LayerConfig>(r#"{"linear": {"outputs": 3, "on": 1}}"#).is_err());
}
