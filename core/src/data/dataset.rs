//! Rows to learn from: inputs and what should become of them.

use rand::Rng;

use super::{Batch, DataError, Stratify, Table, train_test_split};
use crate::checkpoint::fingerprint;

/// From here on `f32` skips whole numbers, so that there are no more classes.
const MOST_CLASSES: usize = 1 << 24;
/// The most numbers that are made of a data set: 8 GiB.
const MOST_NUMBERS: usize = 1 << 31;

/// Rows of inputs, and what should become of each: rows of targets. A class stands as its number.
///
/// No number is missing or infinite.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    inputs: Table,            // [N, input_width]
    targets: Table,           // [N, target_width]
    class_names: Vec<String>, // [C], or none
    resampled: bool,
}

impl Dataset {
    /// These rows, one after the other.
    ///
    /// # Errors
    /// [`DataError::Rows`] if they are not as many inputs as targets, [`DataError::NotFinite`].
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

    /// Tables of inputs and of targets, with their columns' names.
    ///
    /// # Errors
    /// [`DataError::Rows`] if they are not as many inputs as targets; [`DataError::NotFinite`], where
    /// numbers are missing too: impute them before.
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

    /// Names the classes: the first name is that of class 0.
    ///
    /// # Errors
    /// [`DataError::NotAClass`] if a row's target is not the number of one of them.
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

    /// Other inputs for the same targets: scaled ones, say.
    ///
    /// # Errors
    /// As [`from_tables`](Self::from_tables).
    pub fn with_inputs(&self, inputs: Table) -> Result<Self, DataError> {
        let (class_names, resampled) = (self.class_names.clone(), self.resampled);
        Ok(Self { class_names, resampled, ..Self::from_tables(inputs, self.targets.clone())? })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there is not one.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The numbers of one row of inputs.
    pub fn input_width(&self) -> usize {
        self.inputs.width()
    }

    /// The numbers of one row of targets.
    pub fn target_width(&self) -> usize {
        self.targets.width()
    }

    /// The numbers of all inputs, row by row.
    pub fn inputs(&self) -> &[f32] {
        self.inputs.values()
    }

    /// The numbers of all targets, row by row.
    pub fn targets(&self) -> &[f32] {
        self.targets.values()
    }

    /// The inputs as a table, which scalers are fitted to.
    pub fn input_table(&self) -> &Table {
        &self.inputs
    }

    /// The targets as a table.
    pub fn target_table(&self) -> &Table {
        &self.targets
    }

    /// The names of the inputs' columns; none if they have none.
    pub fn feature_names(&self) -> &[String] {
        self.inputs.names()
    }

    /// The names of the targets' columns; none if they have none.
    pub fn target_names(&self) -> &[String] {
        self.targets.names()
    }

    /// The names of the classes, class 0 first; none if they have none.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Each row's class.
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

    /// How many rows each class has, class 0 first: `[C]`, C the number of class names or, where
    /// there are none, one more than the highest class.
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

    /// The numbers of the rows of each class, class 0 first, as many classes as
    /// [`class_counts`](Self::class_counts) has.
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

    /// The same rows with other classes: `relabel(|quality| usize::from(quality <= 4), ["good", "poor"])`
    /// makes two of many.
    ///
    /// # Errors
    /// As [`classes`](Self::classes), and [`DataError::NotAClass`] if there is no name for a new class.
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

    /// The same rows with a 1 in the column of their class and 0 in all others: soft targets `[N, C]`,
    /// which mix.
    ///
    /// # Errors
    /// As [`classes`](Self::classes); [`DataError::NotAClass`] if a class is not below `classes`;
    /// [`DataError::Setting`] if the targets of so many classes would not fit in memory.
    pub fn one_hot(&self, classes: usize) -> Result<Self, DataError> {
        let (mut targets, numbers) = (Vec::new(), self.len().saturating_mul(classes));
        let fits = classes <= MOST_CLASSES && numbers <= MOST_NUMBERS;
        let fits = fits && targets.try_reserve_exact(numbers).is_ok();
        let allowed = "at most 16,777,216, and so few that one number each fits in memory";
        DataError::require(fits, "classes", classes as f64, allowed)?;
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

    /// Some of the rows, by their numbers, in that order; [resampled](Self::is_resampled) where one comes
    /// more than once.
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

    /// Whether rows were chosen more than once ([`select`](Self::select), [`ensemble`](crate::ensemble))
    /// or made up ([`imbalance`](crate::imbalance)). Such rows are for training only: every split refuses
    /// them, since copies of one row, or a row and what was made of it, would end on both sides.
    pub fn is_resampled(&self) -> bool {
        self.resampled
    }

    /// The same rows, from now on [resampled](Self::is_resampled).
    pub(crate) fn into_resampled(self) -> Self {
        Self { resampled: true, ..self }
    }

    /// # Errors
    /// [`DataError::Resampled`]; no rows are none of those.
    pub(crate) fn check_not_resampled(&self, what: &'static str) -> Result<(), DataError> {
        let resampled = self.resampled && !self.is_empty();
        if resampled { Err(DataError::Resampled { what }) } else { Ok(()) }
    }

    /// [`train_test_split`] without regard to classes: those to train with and, drawn at random, a
    /// share to hold out.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless `share` lies in [0, 1), [`DataError::TooFewRows`] if none are left
    /// to train with, [`DataError::Resampled`].
    pub fn split<R: Rng + ?Sized>(
        &self,
        share: f64,
        rng: &mut R,
    ) -> Result<(Self, Self), DataError> {
        train_test_split(self, share, Stratify::No, rng)
    }

    /// A number that tells these rows from others, for a training that goes on.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self.inputs().iter().chain(self.targets()))
    }

    /// Some of the rows, by their numbers.
    ///
    /// # Panics
    /// If there is no row of such a number.
    pub fn batch(&self, rows: &[usize]) -> Batch {
        let mut batch = Batch::default();
        self.gather(rows, &mut batch);
        batch
    }

    /// Copies rows into a batch, whose memory is used again.
    ///
    /// # Panics
    /// If there is no row of such a number.
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

    /// Copies rows into a batch as often as there shall be views of each: all rows, then all again.
    /// Augmented, each copy is a view of its own.
    ///
    /// # Errors
    /// [`DataError::Setting`] for no views, or for more than memory should hold.
    ///
    /// # Panics
    /// If there is no row of such a number.
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

    /// That so many views of so many rows fit into memory, before any is taken. One view always does:
    /// it is no larger than the rows themselves.
    pub(crate) fn check_views(&self, rows: usize, views: usize) -> Result<(), DataError> {
        const MOST: usize = 1 << 28; // 1 GiB of f32
        let width = self.input_width().saturating_add(self.target_width());
        let numbers = rows.max(1).saturating_mul(views).saturating_mul(width);
        if views == 1 || (views > 0 && numbers <= MOST) {
            return Ok(());
        }
        let allowed = "at least 1, and few enough for a minibatch of at most 2²⁸ numbers";
        Err(DataError::Setting { key: "views", value: views as f64, allowed })
    }
}

/// The class of a row by its target.
pub(crate) fn class_of(row: usize, value: f32) -> Result<usize, DataError> {
    let is_class = (0.0..MOST_CLASSES as f32).contains(&value) && value.fract() == 0.0;
    let error = DataError::NotAClass { row, value, below: None };
    if is_class { Ok(value as usize) } else { Err(error) }
}

/// Whether one of so many rows comes more than once.
fn repeats(rows: &[usize], of: usize) -> bool {
    let mut seen = vec![false; of];
    rows.iter().any(|&row| std::mem::replace(&mut seen[row], true))
}
