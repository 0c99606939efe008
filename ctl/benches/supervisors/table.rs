//! Figures as a table, with what is wanted of ours.

/// One figure of all supervisors.
#[derive(Debug, Clone)]
pub struct Column {
    name: &'static str,
    /// The most that ours should have.
    wanted: Option<f64>,
}

impl Column {
    pub const fn new(name: &'static str, wanted: Option<f64>) -> Column {
        Column { name, wanted }
    }
}

/// A table under one title.
pub struct Table {
    title: String,
    columns: Vec<Column>,
    lines: Vec<String>,
    missed: Vec<String>,
}

impl Table {
    pub fn new(title: &str, columns: &[Column]) -> Table {
        Table { title: title.to_owned(), columns: columns.to_vec(), lines: Vec::new(), missed: Vec::new() }
    }

    pub fn row(&mut self, name: &str, is_ours: bool, figures: &[f64]) {
        let mut line = format!("  {name:<24}");
        for (column, figure) in self.columns.iter().zip(figures) {
            line.push_str(&format!(" {figure:>24.2}"));
            if let Some(most) = column.wanted.filter(|most| is_ours && figure > most) {
                self.missed.push(format!("{} {figure:.2}, wanted at most {most}", column.name));
            }
        }
        self.lines.push(line);
    }

    /// Prints it; returns what is wanted and was missed.
    pub fn print(self) -> Vec<String> {
        println!("\n{}", self.title);
        let heads: Vec<String> = self.columns.iter().map(|column| format!("{:>24}", column.name)).collect();
        println!("  {:<24} {}", "", heads.join(" "));
        for line in &self.lines {
            println!("{line}");
        }
        let wanted: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.wanted.map_or_else(String::new, |most| format!("at most {most}")))
            .map(|text| format!("{text:>24}"))
            .collect();
        println!("  {:<24} {}", "wanted of foobarctl", wanted.join(" "));
        self.missed
    }
}
