use super::*;

/// What may be between an output and its quantised value, before the activation: of one layer.
fn bound(weight: &[f32], x: &[f32], unit: usize, outputs: usize, dynamic: bool) -> f32 {
    let column = || weight[unit..].iter().step_by(outputs);
    let largest = |numbers: &mut dyn Iterator<Item = &f32>| {
        numbers.fold(0.0, |largest: f32, x| largest.max(x.abs()))
    };
    let scale = largest(&mut column()) / 127.0;
    let of_row = if dynamic { largest(&mut x.iter()) / 127.0 } else { 0.0 };
    let errors = column()
        .zip(x)
        .map(|(w, x)| (scale * x.abs() + of_row * w.abs()) / 2.0 + scale * of_row / 4.0);
    errors.sum::<f32>() * 1.001 + 1e-5
}

#[test]
fn quantisation_stays_within_its_bound() {
    for outputs in [1, 7] {
        for inputs in [1, 15, 16, 33, 200] {
            let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
            let network = config.build(inputs, outputs, &mut rng()).unwrap();
            let x = rows(3, inputs);
            let exact = network.predict(&Tensor::from_slice(&x).view([3, inputs as i64]));
            let exact = Vec::<f32>::try_from(exact.reshape(-1)).unwrap();
            for quantization in [Quantization::Dynamic, Quantization::WeightOnly] {
                let quantized = QuantizedNetwork::new(&network, quantization).unwrap();
                let mut out = vec![f32::NAN; 3 * outputs];
                quantized.evaluate(&x, 3, &mut QuantizedScratch::default(), &mut out).unwrap();
                let dynamic = quantization == Quantization::Dynamic;
                for (i, (a, b)) in out.iter().zip(&exact).enumerate() {
                    let x = &x[i / outputs * inputs..][..inputs];
                    let weight = &network.parameters().values()[..inputs * outputs];
                    let bound = bound(weight, x, i % outputs, outputs, dynamic);
                    assert!((a - b).abs() <= bound, "{quantization:?}: {a} {b} ± {bound}");
                }
                // Alone and among others: the same bits.
                let mut alone = vec![f32::NAN; outputs];
                let scratch = &mut QuantizedScratch::default();
                quantized.evaluate(&x[inputs..2 * inputs], 1, scratch, &mut alone).unwrap();
                assert_eq!(alone, out[outputs..2 * outputs]);
            }
        }
    }
}

#[test]
fn centred_outputs_differ_by_what_all_share() {
    // Two outputs of 100 x and 100.1 x: a byte of the whole tells them apart by nothing.
    let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
    let mut network = config.build(2, 2, &mut rng()).unwrap();
    network.parameters_mut().load(&[100.0, 100.1, 100.0, 99.8, 50.0, 50.5]).unwrap();
    let difference = |quantized: QuantizedNetwork| {
        let mut out = [0.0; 2];
        quantized.evaluate(&[1.0, 3.0], 1, &mut QuantizedScratch::default(), &mut out).unwrap();
        out[0] - out[1]
    };
    for quantization in [Quantization::Dynamic, Quantization::WeightOnly] {
        let whole = difference(QuantizedNetwork::new(&network, quantization).unwrap());
        let centred = difference(QuantizedNetwork::centred(&network, quantization).unwrap());
        let exact = -0.1 + 0.6 - 0.5;
        assert!((centred - exact).abs() < 5e-3 && (whole - exact).abs() > 0.1, "{centred} {whole}");
    }
    // A sigmoid would notice.
    let config = NetworkConfig::default()
        .with_head(vec![LayerConfig::linear(2), Activation::Sigmoid.into()]);
    let network = Sequential::new(&config, &[2], &mut rng()).unwrap();
    let new = QuantizedNetwork::new(&network, Quantization::Dynamic).unwrap();
    assert_eq!(QuantizedNetwork::centred(&network, Quantization::Dynamic).unwrap(), new);
}

#[test]
fn quantised_by_hand() {
    let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
    let mut network = config.build(2, 2, &mut rng()).unwrap();
    // Columns (127, 63.4) and (0, 0); biases 1 and 2.
    network.parameters_mut().load(&[127.0, 0.0, 63.4, 0.0, 1.0, 2.0]).unwrap();
    let mut out = [0.0; 2];
    let mut run = |quantization, x: &[f32]| {
        let quantized = QuantizedNetwork::new(&network, quantization).unwrap();
        quantized.evaluate(x, 1, &mut QuantizedScratch::default(), &mut out).unwrap();
        out
    };
    assert_eq!(run(Quantization::WeightOnly, &[1.0, 10.0]), [127.0 + 630.0 + 1.0, 2.0]);
    // The row's scale is 2: 254 is 127 of it, 5 is 2.5, of halves the even one.
    assert_eq!(
        run(Quantization::Dynamic, &[254.0, 5.0]),
        [2.0 * (127.0 * 127.0 + 2.0 * 63.0) + 1.0, 2.0]
    );
    assert_eq!(run(Quantization::Dynamic, &[0.0, 0.0]), [1.0, 2.0]);
}

#[test]
fn a_number_that_overflows_between_layers_ends_as_none() {
    let mut network = mlp(&[4, 4, 4]);
    network.parameters_mut().values_mut().fill(1.0);
    let quantized = QuantizedNetwork::new(&network, Quantization::Dynamic).unwrap();
    let mut out = [0.0; 3];
    quantized.evaluate(&[3e38; 6], 1, &mut QuantizedScratch::default(), &mut out).unwrap();
    assert!(out.iter().all(|y| y.is_nan()), "{out:?}");
}

#[test]
fn a_quantised_network_is_small_in_a_file_too() {
    let network = mlp(&[128, 64]);
    let quantized = QuantizedNetwork::new(&network, Quantization::Dynamic).unwrap();
    let weights = 6 * 128 + 128 * 64 + 64 * 3;
    assert_eq!(quantized.bytes(), weights + (128 + 64 + 3) * 2 * 4);
    let state = quantized.state_dict().unwrap();
    let (arrays, values) = state.to_files().unwrap();
    let mut floats = crate::checkpoint::StateDict::new();
    floats.insert_part("network", network.parameters()).unwrap();
    assert!(arrays.len() + values.len() < floats.to_files().unwrap().0.len() / 3);
    let state = crate::checkpoint::StateDict::from_files(arrays, &values).unwrap();
    assert_eq!(QuantizedNetwork::from_state_dict(&state).unwrap(), quantized);
    let mut broken = state.clone();
    broken.insert("layers", &0).unwrap();
    assert!(QuantizedNetwork::from_state_dict(&broken).is_err());
    broken.insert("layers", &4).unwrap();
    assert!(matches!(
        QuantizedNetwork::from_state_dict(&broken),
        Err(CompressionError::Checkpoint(_))
    ));
    let mut broken = state.clone();
    broken.insert_array("layer1/scale", &[64], &[f32::NAN; 64]);
    assert!(QuantizedNetwork::from_state_dict(&broken).is_err());
    let error = |state| QuantizedNetwork::from_state_dict(state).unwrap_err().to_string();
    let mut broken = state.clone();
    broken.insert_array("layer1/weight", &[64, 128], &[-128_i8; 64 * 128]);
    assert_eq!(error(&broken), "a weight must be from -127 to 127, got -128");
    let mut broken = state;
    let form = serde_json::json!({ "inputs": 0, "outputs": 64, "activation": "relu" });
    broken.insert("layer1/form", &form).unwrap();
    assert_eq!(error(&broken), "a layer's inputs must be at least 1, got 0");
}

#[test]
fn what_cannot_be_quantised_is_an_error() {
    let (pictures, _) = pictures();
    let quantize = |network: &dyn Network| QuantizedNetwork::new(network, Quantization::Dynamic);
    assert!(matches!(quantize(&pictures), Err(CompressionError::NotDense)));
    let empty = Sequential::new(&NetworkConfig::default(), &[3], &mut rng()).unwrap();
    assert!(matches!(quantize(&empty), Err(CompressionError::NotDense)));
    let mut network = mlp(&[4]);
    let quantized = quantize(&network).unwrap();
    let scratch = &mut QuantizedScratch::default();
    let error = quantized.evaluate(&[0.0; 6], 1, scratch, &mut [0.0; 2]).unwrap_err();
    assert_eq!(error.to_string(), "a network's outputs: expected 3 numbers, got 2");
    let mut out = [0.0; 9];
    let inputs = [[1.0; 6], [f32::NAN; 6], [1.0, 1.0, f32::INFINITY, 1.0, 1.0, 1.0]].concat();
    quantized.evaluate(&inputs, 3, scratch, &mut out).unwrap();
    assert!(out[..3].iter().all(|y| y.is_finite()) && out[3..].iter().all(|y| y.is_nan()));
    network.parameters_mut().values_mut()[3] = f32::INFINITY;
    assert!(matches!(quantize(&network), Err(CompressionError::NotFinite { .. })));
}
