use super::*;

fn read(text: &str, config: &CsvConfig) -> Result<RawDataset, CsvError> {
    from_reader(text.as_bytes(), config)
}

fn message(text: &str, config: &CsvConfig) -> String {
    read(text, config).unwrap_err().to_string()
}

fn targets(columns: &[Column]) -> CsvConfig {
    CsvConfig { targets: columns.to_vec(), ..CsvConfig::default() }
}

#[test]
fn the_last_column_is_the_target_unless_others_are_named() {
    let text = "a, b ,c\n1,2.5,3\n-4,5e1,\"6\"\n";
    let raw = read(text, &CsvConfig::default()).unwrap();
    assert_eq!(
        (raw.inputs.names(), raw.targets.names()[0].as_str()),
        (&["a", "b"].map(String::from)[..], "c")
    );
    assert_eq!(
        (raw.inputs.values(), raw.targets.values()),
        (&[1.0, 2.5, -4.0, 50.0][..], &[3.0, 6.0][..])
    );
    let raw = read(text, &targets(&["c".into(), 0.into()])).unwrap();
    assert_eq!(
        (raw.inputs.values(), raw.targets.values()),
        (&[2.5, 50.0][..], &[3.0, 1.0, 6.0, -4.0][..])
    );
    let data = raw.into_dataset().unwrap();
    assert_eq!((data.target_names()[1].as_str(), data.len()), ("a", 2));
}

#[test]
fn without_a_header_columns_have_numbers() {
    let config = CsvConfig { delimiter: ';', has_header: false, ..targets(&[0.into()]) };
    let raw = read("1;2\n3;4\n", &config).unwrap();
    assert_eq!((raw.inputs.values(), raw.targets.values()), (&[2.0, 4.0][..], &[1.0, 3.0][..]));
    assert!(raw.inputs.names().is_empty());
    let config = CsvConfig { targets: vec!["a".into()], ..config };
    assert_eq!(message("1;2\n", &config), "expected one column \"a\", got 0; the columns are 0, 1");
}

#[test]
fn labels_are_numbered_in_sorted_order() {
    let config = CsvConfig { target_kind: TargetKind::Classes, ..CsvConfig::default() };
    let raw = read("x,y\n0,dog\n1,cat\n2,dog\n3,ant\n", &config).unwrap();
    assert_eq!(raw.class_names, ["ant", "cat", "dog"]);
    assert_eq!(raw.targets.values(), [2.0, 1.0, 2.0, 0.0]);
    assert_eq!(raw.into_dataset().unwrap().class_counts().unwrap(), [1, 1, 2]);
    let raw = read("x,y\n0,10\n1,9\n2,-1\n", &config).unwrap();
    assert_eq!(
        (raw.class_names, raw.targets.values()),
        (["-1", "9", "10"].map(String::from).to_vec(), &[2.0, 1.0, 0.0][..])
    );
    assert_eq!(
        message("x,y\n0,a\n1,\n", &config),
        "line 3, column y is empty: expected the label of a class"
    );
    let two = CsvConfig { targets: vec![0.into(), 1.into()], ..config };
    assert_eq!(message("x,y\n0,a\n", &two), "got 2 target columns, expected 1");
}

#[test]
fn missing_inputs_become_nan_on_request_only() {
    let text = "a,b,c\n1,,2\n?,3,4\n";
    let config = CsvConfig { missing: vec![String::new(), "?".to_owned()], ..CsvConfig::default() };
    let raw = read(text, &config).unwrap();
    let is_missing: Vec<bool> = raw.inputs.values().iter().map(|x| x.is_nan()).collect();
    assert_eq!(is_missing, [false, true, true, false]);
    let error = raw.into_dataset().unwrap_err();
    assert!(matches!(error, DataError::NotFinite { part: "inputs", row: 0, column: 1, .. }));
    let error = message(text, &CsvConfig::default());
    assert_eq!(error, "line 2, column b holds \"\": expected a finite number");
}

#[test]
fn a_missing_target_is_neither_number_nor_class() {
    let missing = vec![String::new(), "NA".to_owned(), "-999".to_owned()];
    let numbers = CsvConfig { missing, ..CsvConfig::default() };
    let classes = CsvConfig { target_kind: TargetKind::Classes, ..numbers.clone() };
    for config in [&numbers, &classes] {
        for text in ["NA", "-999", ""] {
            assert_eq!(
                message(&format!("a,b\n1,2\n1,{text}\n"), config),
                format!(
                    "line 3, column b holds {text:?}, which stands for a missing number: expected a \
                     target; remove such rows"
                )
            );
        }
    }
    // What is not declared missing is no number, and NaN no class.
    let classes = CsvConfig { missing: vec![], ..classes };
    for text in ["nan", "NaN", "inf", "-infinity"] {
        assert_eq!(
            message(&format!("a,b\n1,2\n1,{text}\n"), &classes),
            format!("line 3, column b holds {text:?}: expected the label of a class")
        );
    }
    let raw = read("a,b\n1,NA\n1,yes\n", &classes).unwrap();
    assert_eq!(raw.class_names, ["NA", "yes"]);
}

#[test]
fn labels_that_are_the_same_number_are_one_class() {
    let config = CsvConfig { target_kind: TargetKind::Classes, ..CsvConfig::default() };
    let raw = read("x,y\n0,1.0\n1,0\n2,1\n3,-0\n4,1e0\n5,10\n", &config).unwrap();
    assert_eq!(raw.class_names, ["0", "1.0", "10"]);
    assert_eq!(raw.targets.values(), [1.0, 0.0, 1.0, 0.0, 1.0, 2.0]);
    // Beyond 2⁵³ a double would not tell them apart.
    let raw = read("x,y\n0,9007199254740992\n1,9007199254740993\n", &config).unwrap();
    assert_eq!(raw.class_names, ["9007199254740992", "9007199254740993"]);
    assert_eq!(raw.targets.values(), [0.0, 1.0]);
    // Beside a word they are words.
    let raw = read("x,y\n0,1.0\n1,1\n2,one\n", &config).unwrap();
    assert_eq!(raw.class_names, ["1", "1.0", "one"]);
}

#[test]
fn a_byte_order_mark_belongs_to_no_name() {
    let raw = read("\u{feff}a,b\n1,2\n", &targets(&["a".into()])).unwrap();
    assert_eq!((raw.targets.values(), raw.inputs.names()), (&[1.0][..], &["b".to_owned()][..]));
    let config = CsvConfig { has_header: false, ..CsvConfig::default() };
    assert_eq!(read("\u{feff}1,2\n", &config).unwrap().inputs.values(), [1.0]);
}

#[test]
fn what_is_no_table_is_an_error_that_says_where() {
    let config = CsvConfig::default();
    assert_eq!(
        message("a,b\n1,2\n1,2,3\n", &config),
        "line 3 has 3 fields: expected 2, as in the first"
    );
    for text in ["nan", "inf", "1e99", "x", "0x1"] {
        let error = message(&format!("a,b\n1,2\n{text},2\n"), &config);
        assert_eq!(error, format!("line 3, column a holds {text:?}: expected a finite number"));
    }
    let long = message(&format!("a,b\n{},2\n", "é".repeat(999)), &config);
    assert!(long.len() < 150, "{long}");
    assert!(matches!(read("", &config), Err(CsvError::Empty)));
    assert!(matches!(read("a,b\n", &config), Err(CsvError::Empty)));
    assert_eq!(
        message("a\n1\n", &config),
        "no column is left for inputs: a are targets; expected at least one more column"
    );
    assert!(matches!(
        read("a,b\n1,2\n", &targets(&["a".into(), "b".into()])),
        Err(CsvError::NoInputs { .. })
    ));
    assert_eq!(
        message("a,b\n1,2\n", &targets(&["a".into(), 0.into()])),
        "column a is named as a target twice: expected each column once"
    );
    assert_eq!(
        message("a,b,a\n1,2,3\n", &targets(&["a".into()])),
        "expected one column \"a\", got 2; the columns are a, b, a"
    );
    assert!(
        message("a,b\n1,2\n", &targets(&[2.into()])).starts_with("expected one column 2, got 0")
    );
    let error = from_reader(&b"a,b\n1,2\n1,\xff\n"[..], &config).unwrap_err();
    assert!(matches!(error, CsvError::Encoding { line: 3 }), "{error}");
    let euro = CsvConfig { delimiter: '€', ..CsvConfig::default() };
    assert!(matches!(read("a,b\n1,2\n", &euro), Err(CsvError::Delimiter('€'))));
    assert!(matches!(from_path("no/such/file.csv", &config), Err(CsvError::Io(_))));
}

#[test]
fn size_is_bounded() {
    let text = "a,b\n1,2\n3,4\n";
    let config = CsvConfig { max_rows: 1, ..CsvConfig::default() };
    assert!(matches!(read(text, &config), Err(CsvError::TooManyRows { max_rows: 1 })));
    let bytes = |max_bytes| CsvConfig { max_bytes, ..CsvConfig::default() };
    assert!(read(text, &bytes(12)).is_ok());
    assert!(matches!(read(text, &bytes(11)), Err(CsvError::TooLarge { max_bytes: 11 })));
    let endless = from_reader(std::io::repeat(b'1'), &bytes(1000)).unwrap_err();
    assert!(matches!(endless, CsvError::TooLarge { .. }), "{endless}");
}
