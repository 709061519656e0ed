//! A dataset: rows of inputs and targets.

use rand::Rng;

use super::{Batch, DataError, Stratify, Table, train_test_split};
use crate::checkpoint::fingerprint;
use crate::require;

/// The largest number of classes: `f32` holds all whole numbers up to here.
const MOST_CLASSES: usize = 1 << 24;
/// The largest size of derived data, in numbers: 8 GiB.
const MOST_NUMBERS: usize = 1 << 31;

/// Rows of inputs, each with a row of targets. A class is stored as its number.
///
/// All numbers are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    inputs: Table,            // [N, input_width]
    targets: Table,           // [N, target_width]
    class_names: Vec<String>, // [C], or none
    resampled: bool,
}

impl Dataset {
    /// Creates a dataset from numbers in row-major order.
    ///
    /// # Errors
    /// [`DataError::Rows`] unless inputs and targets have the same number of whole rows,
    /// [`DataError::NotFinite`].
    pub fn new(
        inputs: Vec<f32>,
        input_width: usize,
        targets: Vec<f32>,
        target_width: usize,
    ) -> Result<Self, DataError> {
        let numbers = (inputs.len(), targets.len());
        let (Ok(inputs), Ok(targets)) =
            (Table::new(inputs, input_width), Table::new(targets, target_width))
        else {
            let (inputs, targets) = numbers;
            return Err(DataError::Rows { inputs, input_width, targets, target_width });
        };
        Self::from_tables(inputs, targets)
    }

    /// Creates a dataset from tables of inputs and targets; keeps their column names.
    ///
    /// # Errors
    /// [`DataError::Rows`] unless inputs and targets have the same number of rows;
    /// [`DataError::NotFinite`] also for missing numbers: impute them first.
    pub fn from_tables(inputs: Table, targets: Table) -> Result<Self, DataError> {
        if inputs.len() != targets.len() {
            return Err(DataError::Rows {
                inputs: inputs.values().len(),
                input_width: inputs.width(),
                targets: targets.values().len(),
                target_width: targets.width(),
            });
        }
        for (part, table) in [("inputs", &inputs), ("targets", &targets)] {
            if let Some((row, column, value)) = table.first_not_finite() {
                return Err(DataError::NotFinite { part, row, column, value });
            }
        }
        Ok(Self { inputs, targets, class_names: Vec::new(), resampled: false })
    }

    /// Names the classes, class 0 first.
    ///
    /// # Errors
    /// [`DataError::NotAClass`] if a row's target is not the number of a named class.
    pub fn with_class_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let below = names.len();
        if let Some(row) = self.classes()?.iter().position(|class| *class >= below) {
            let value = self.targets.values()[row];
            return Err(DataError::NotAClass { row, value, below: Some(below) });
        }
        self.class_names = names;
        Ok(self)
    }

    /// Returns the dataset with other inputs, for example scaled ones, and the same targets.
    ///
    /// # Errors
    /// As [`from_tables`](Self::from_tables).
    pub fn with_inputs(&self, inputs: Table) -> Result<Self, DataError> {
        let (class_names, resampled) = (self.class_names.clone(), self.resampled);
        Ok(Self { class_names, resampled, ..Self::from_tables(inputs, self.targets.clone())? })
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Returns the number of inputs in a row.
    pub fn input_width(&self) -> usize {
        self.inputs.width()
    }

    /// Returns the number of targets in a row.
    pub fn target_width(&self) -> usize {
        self.targets.width()
    }

    /// Returns the numbers of all inputs, row by row.
    pub fn inputs(&self) -> &[f32] {
        self.inputs.values()
    }

    /// Returns the numbers of all targets, row by row.
    pub fn targets(&self) -> &[f32] {
        self.targets.values()
    }

    /// Returns the inputs as a table, for example to fit a scaler.
    pub fn input_table(&self) -> &Table {
        &self.inputs
    }

    /// Returns the targets as a table.
    pub fn target_table(&self) -> &Table {
        &self.targets
    }

    /// Returns the names of the input columns; empty if they are unnamed.
    pub fn feature_names(&self) -> &[String] {
        self.inputs.names()
    }

    /// Returns the names of the target columns; empty if they are unnamed.
    pub fn target_names(&self) -> &[String] {
        self.targets.names()
    }

    /// Returns the names of the classes, class 0 first; empty if they are unnamed.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Returns each row's class.
    ///
    /// # Errors
    /// [`DataError::Count`] if a row has more than one target, [`DataError::NotAClass`] if one is
    /// negative or not whole.
    pub fn classes(&self) -> Result<Vec<usize>, DataError> {
        let (what, expected, got) = ("targets in a row", 1, self.target_width());
        if got != expected {
            return Err(DataError::Count { what, expected, got });
        }
        let class = |(row, &value)| class_of(row, value);
        self.targets().iter().enumerate().map(class).collect()
    }

    /// Returns the number of rows of each class, class 0 first: `[C]`, where C is the number of
    /// class names or, without names, the highest class plus 1.
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn class_counts(&self) -> Result<Vec<usize>, DataError> {
        let classes = self.classes()?;
        let highest = classes.iter().max().map_or(0, |class| class + 1);
        let mut counts = vec![0; highest.max(self.class_names.len())];
        classes.into_iter().for_each(|class| counts[class] += 1);
        Ok(counts)
    }

    /// Returns the row numbers of each class, class 0 first; the same number of classes as
    /// [`class_counts`](Self::class_counts).
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn rows_of_classes(&self) -> Result<Vec<Vec<usize>>, DataError> {
        let mut rows_of = vec![Vec::new(); self.class_counts()?.len()];
        for (row, class) in self.classes()?.into_iter().enumerate() {
            rows_of[class].push(row);
        }
        Ok(rows_of)
    }

    /// Returns the same rows with other classes: `relabel(|quality| usize::from(quality <= 4),
    /// ["good", "poor"])` merges many classes into two.
    ///
    /// # Errors
    /// As [`classes`](Self::classes); [`DataError::NotAClass`] if a new class has no name.
    pub fn relabel<S: Into<String>>(
        &self,
        class: impl Fn(usize) -> usize,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        let targets = self.classes()?.into_iter().map(|old| class(old) as f32).collect();
        let targets = self.targets.with_values(targets)?;
        let resampled = self.resampled;
        Self { resampled, ..Self::from_tables(self.inputs.clone(), targets)? }
            .with_class_names(names)
    }

    /// Returns the same rows with one-hot targets `[N, C]`: 1 in the column of the class, 0
    /// elsewhere. Such targets can be mixed ([`mixup`](crate::data::mixup)).
    ///
    /// # Errors
    /// As [`classes`](Self::classes); [`DataError::NotAClass`] if a class is not below `classes`;
    /// [`DataError::Setting`] if the targets would not fit in memory.
    pub fn one_hot(&self, classes: usize) -> Result<Self, DataError> {
        let (mut targets, numbers) = (Vec::new(), self.len().saturating_mul(classes));
        let fits = classes <= MOST_CLASSES && numbers <= MOST_NUMBERS;
        let fits = fits && targets.try_reserve_exact(numbers).is_ok();
        let allowed = "at most 16,777,216, and few enough to fit in memory";
        require(fits, "classes", classes as f64, allowed)?;
        targets.resize(numbers, 0.0);
        for (row, class) in self.classes()?.into_iter().enumerate() {
            if class >= classes {
                let (value, below) = (class as f32, Some(classes));
                return Err(DataError::NotAClass { row, value, below });
            }
            targets[row * classes + class] = 1.0;
        }
        let targets = Table::new(targets, classes)?;
        let named = self.class_names.len() == classes;
        let targets = if named { targets.with_names(self.class_names.clone())? } else { targets };
        let resampled = self.resampled;
        Ok(Self { resampled, ..Self::from_tables(self.inputs.clone(), targets)? })
    }

    /// Returns the rows of these numbers, in this order; [resampled](Self::is_resampled) if a row
    /// occurs more than once.
    ///
    /// # Errors
    /// [`DataError::NoSuchRow`].
    pub fn select(&self, rows: &[usize]) -> Result<Self, DataError> {
        Ok(Self {
            inputs: self.inputs.select(rows)?,
            targets: self.targets.select(rows)?,
            class_names: self.class_names.clone(),
            resampled: self.resampled || repeats(rows, self.len()),
        })
    }

    /// Returns whether rows were repeated ([`select`](Self::select), [`ensemble`](crate::ensemble))
    /// or synthesised ([`imbalance`](crate::imbalance)). Such rows are for training only: every
    /// split refuses them, because copies of a row could end on both sides.
    pub fn is_resampled(&self) -> bool {
        self.resampled
    }

    /// Marks the rows as [resampled](Self::is_resampled).
    pub(crate) fn into_resampled(self) -> Self {
        Self { resampled: true, ..self }
    }

    /// # Errors
    /// [`DataError::Resampled`], except without rows.
    pub(crate) fn check_not_resampled(&self, what: &'static str) -> Result<(), DataError> {
        let resampled = self.resampled && !self.is_empty();
        if resampled { Err(DataError::Resampled { what }) } else { Ok(()) }
    }

    /// Splits off a random fraction `share`, ignoring classes: returns the training rows and the
    /// held-out rows, as [`train_test_split`].
    ///
    /// # Errors
    /// [`DataError::Setting`] unless `share` lies in [0, 1), [`DataError::TooFewRows`] if no
    /// training rows are left, [`DataError::Resampled`].
    pub fn split<R: Rng + ?Sized>(
        &self,
        share: f64,
        rng: &mut R,
    ) -> Result<(Self, Self), DataError> {
        train_test_split(self, share, Stratify::No, rng)
    }

    /// Returns a hash of the rows, by which a resumed training recognises its data.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self.inputs().iter().chain(self.targets()))
    }

    /// Returns the rows of these numbers as a batch.
    ///
    /// # Panics
    /// If a row number is out of range.
    pub fn batch(&self, rows: &[usize]) -> Batch {
        let mut batch = Batch::default();
        self.gather(rows, &mut batch);
        batch
    }

    /// Copies rows into a batch and reuses its memory.
    ///
    /// # Panics
    /// If a row number is out of range.
    pub fn gather(&self, rows: &[usize], batch: &mut Batch) {
        self.copy(rows, 1, batch);
    }

    fn copy(&self, rows: &[usize], views: usize, batch: &mut Batch) {
        (batch.rows, batch.views) = (rows.len() * views, views);
        for (from, to) in [(&self.inputs, &mut batch.inputs), (&self.targets, &mut batch.targets)] {
            to.clear();
            let width = from.width();
            for row in (0..views).flat_map(|_| rows) {
                to.extend_from_slice(&from.values()[row * width..][..width]);
            }
        }
    }

    /// Copies rows into a batch `views` times: all rows, then all again. Augmentation makes each
    /// copy a separate view.
    ///
    /// # Errors
    /// [`DataError::Setting`] if `views` is 0 or the batch would be too large for the memory.
    ///
    /// # Panics
    /// If a row number is out of range.
    pub fn gather_views(
        &self,
        rows: &[usize],
        views: usize,
        batch: &mut Batch,
    ) -> Result<(), DataError> {
        self.check_views(rows.len(), views)?;
        self.copy(rows, views, batch);
        Ok(())
    }

    /// Checks that `views` copies of the rows fit in memory. One view always does: it is no larger
    /// than the rows themselves.
    pub(crate) fn check_views(&self, rows: usize, views: usize) -> Result<(), DataError> {
        const MOST: usize = 1 << 28; // 1 GiB of f32
        let width = self.input_width().saturating_add(self.target_width());
        let numbers = rows.max(1).saturating_mul(views).saturating_mul(width);
        let fits = views == 1 || (views > 0 && numbers <= MOST);
        let allowed = "at least 1, and few enough for a minibatch of at most 2²⁸ numbers";
        Ok(require(fits, "views", views as f64, allowed)?)
    }
}

/// Returns the class that a target stands for.
pub(crate) fn class_of(row: usize, value: f32) -> Result<usize, DataError> {
    let is_class = (0.0..MOST_CLASSES as f32).contains(&value) && value.fract() == 0.0;
    let error = DataError::NotAClass { row, value, below: None };
    if is_class { Ok(value as usize) } else { Err(error) }
}

/// Returns whether a row number occurs more than once; there are `of` rows.
fn repeats(rows: &[usize], of: usize) -> bool {
    let mut seen = vec![false; of];
    rows.iter().any(|&row| std::mem::replace(&mut seen[row], true))
}
