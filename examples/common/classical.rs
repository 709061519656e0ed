//! Classical models on the same folds, from the crate smartcore, as baselines for networks.

use gymnast::core::data::Dataset;
use smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::naive_bayes::bernoulli::{BernoulliNB, BernoulliNBParameters};
use smartcore::svm::Kernels;
use smartcore::svm::svc::{MultiClassSVC, SVCParameters};
use smartcore::svm::svr::{SVR, SVRParameters};

fn matrix(data: &Dataset) -> Result<DenseMatrix<f64>, Failed> {
    let row = |row: &[f32]| row.iter().map(|&x| f64::from(x)).collect();
    DenseMatrix::from_2d_vec(&data.inputs().chunks(data.input_width()).map(row).collect())
}

/// The classes that naive Bayes (of inputs below and above ½), a support vector machine (RBF) and a random forest find.
#[allow(dead_code)] // each example takes what it needs
pub(crate) fn classifiers(
    train: &Dataset,
    test: &Dataset,
) -> Result<[(&'static str, Vec<usize>); 3], Failed> {
    let (x, other) = (matrix(train)?, matrix(test)?);
    let classes: Vec<u32> = train.targets().iter().map(|&class| class as u32).collect();
    // Of pixels that are dark or light: those that never change have no variance.
    let bayes = BernoulliNBParameters::default().with_binarize(0.5);
    let bayes = BernoulliNB::fit(&x, &classes, bayes)?.predict(&other)?;
    // scikit-learn's gamma = "scale": 1 / (columns · variance).
    let gamma = 1.0 / (train.input_width() as f64 * variance(train.inputs()));
    let signed: Vec<i32> = classes.iter().map(|&class| class as i32).collect();
    let svm = SVCParameters::default().with_kernel(Kernels::rbf().with_gamma(gamma)).with_c(10.0);
    let svm = MultiClassSVC::fit(&x, &signed, &svm)?.predict(&other)?;
    let numbers = |classes: Vec<u32>| classes.into_iter().map(|class| class as usize).collect();
    Ok([
        ("naive Bayes", numbers(bayes)),
        ("SVM (RBF)", svm.into_iter().map(|class| class as usize).collect()),
        ("random forest", forest(train, test)?),
    ])
}

/// The classes that a random forest finds.
#[allow(dead_code)]
pub(crate) fn forest(train: &Dataset, test: &Dataset) -> Result<Vec<usize>, Failed> {
    let classes: Vec<u32> = train.targets().iter().map(|&class| class as u32).collect();
    let settings = RandomForestClassifierParameters::default().with_n_trees(100).with_seed(0);
    let forest = RandomForestClassifier::fit(&matrix(train)?, &classes, settings)?;
    Ok(forest.predict(&matrix(test)?)?.into_iter().map(|class| class as usize).collect())
}

/// The probability of class 1, of two, by a random forest: the mean of the trees, which regress the class
/// (for a 0 or 1 the mean squared error splits as Gini's impurity does).
#[allow(dead_code)]
pub(crate) fn forest_probabilities<const N: usize>(
    train: &Dataset,
    trees: usize,
    seed: u64,
    others: [&Dataset; N],
) -> Result<[Vec<f64>; N], Failed> {
    let classes: Vec<f64> = train.targets().iter().map(|&class| f64::from(class)).collect();
    let settings = RandomForestRegressorParameters::default().with_n_trees(trees).with_seed(seed);
    let forest = RandomForestRegressor::fit(&matrix(train)?, &classes, settings)?;
    let mut found = std::array::from_fn(|_| Vec::new());
    for (found, rows) in found.iter_mut().zip(others) {
        *found = forest.predict(&matrix(rows)?)?;
    }
    Ok(found)
}

/// What a support vector machine (RBF) and a random forest predict.
#[allow(dead_code)]
pub(crate) fn regressors(
    train: &Dataset,
    test: &Dataset,
) -> Result<[(&'static str, Vec<f64>); 2], Failed> {
    let (x, other) = (matrix(train)?, matrix(test)?);
    let y: Vec<f64> = train.targets().iter().map(|&y| f64::from(y)).collect();
    let gamma = 1.0 / (train.input_width() as f64 * variance(train.inputs()));
    let svm = SVRParameters::default().with_kernel(Kernels::rbf().with_gamma(gamma)).with_c(1.0);
    let svm = SVR::fit(&x, &y, &svm)?.predict(&other)?;
    let forest = RandomForestRegressorParameters::default().with_n_trees(100).with_seed(0);
    let forest = RandomForestRegressor::fit(&x, &y, forest)?.predict(&other)?;
    Ok([("SVM (RBF)", svm), ("random forest", forest)])
}

fn variance(numbers: &[f32]) -> f64 {
    let mean = |f: &dyn Fn(f64) -> f64| {
        numbers.iter().map(|&x| f(f64::from(x))).sum::<f64>() / numbers.len() as f64
    };
    let centre = mean(&|x| x);
    mean(&|x| (x - centre).powi(2))
}
