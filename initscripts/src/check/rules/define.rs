//! Makes a part of the table: each row becomes a static that checks name, and a place in the list.

/// `NAME = "code" Severity [lintian tags], title, effect, remedy, explanation;`
macro_rules! rules {
    ($($name:ident = $code:literal $severity:ident [$($tag:literal),*],
        $title:literal, $effect:literal, $remedy:literal, $explanation:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            pub static $name: $crate::check::finding::Rule = $crate::check::finding::Rule {
                code: $code,
                severity: $crate::check::finding::Severity::$severity,
                lintian: &[$($tag),*],
                title: $title,
                effect: $effect,
                remedy: $remedy,
                explanation: $explanation,
            };
        )*
        /// All of this part.
        pub(super) static ALL: &[&$crate::check::finding::Rule] = &[$(&$name),*];
    };
}

pub(super) use rules;
