//! Every key of the table once, from `tests/golden/keys.txt`: a line that is written as it is read, one that is refused, and
//! what is said of that.

/// A key, a value, a value that cannot be, and the message.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub key: &'static str,
    pub good: &'static str,
    pub bad: &'static str,
    pub message: &'static str,
}

pub fn rows() -> Vec<Row> {
    let text = include_str!("../../golden/keys.txt");
    text.split("\n\n").filter(|block| !block.trim().is_empty()).map(row).collect()
}

fn row(block: &'static str) -> Row {
    let lines: Vec<&str> = block.trim_start_matches('\n').lines().collect();
    let [good, bad, message] = lines[..] else { panic!("no three lines: {block}") };
    let (key, good) = good.split_once(" = ").unwrap();
    let (again, bad) = bad.split_once(" = ").unwrap();
    assert_eq!(key, again);
    Row { key, good, bad, message: message.trim_start() }
}
