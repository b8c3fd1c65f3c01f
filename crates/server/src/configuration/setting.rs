//! The one table of settings: the typed structs, their names, defaults, bounds and help come from it.

/// One setting, as the file, the environment, the flags and the reference name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the file, with dots between section and field.
    pub name: &'static str,
    /// What holds when nobody says anything; `{data}` stands for the data folder, nothing for "not set".
    pub default: &'static str,
    /// What its values look like.
    pub kind: Kind,
    /// What it does, for people.
    pub help: &'static str,
}

/// What a setting's values look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A string that is shown with its password masked.
    DatabaseUrl,
    /// A string that is shown with all behind the host masked.
    WebhookUrl,
    /// `true` or `false`.
    Flag,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A whole number within bounds, both included.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
}

impl Setting {
    /// Its environment variable: `KEYSTEAD_LIMITS_BODY_BYTES_MAX`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("KEYSTEAD_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Its flag, without the dashes in front: `limits-body-bytes-max`.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }
}

/// Makes a struct for each section, the table [`Setting`]s of all, and the reader that fills them.
macro_rules! settings {
    (
        $(#[doc = $doc:literal])+
        $Whole:ident { $($top:tt)* }
        $( $(#[doc = $section_doc:literal])+ $section:ident: $Section:ident { $($fields:tt)* } )+
    ) => {
        settings! { @whole [$($doc)+] $Whole { $($top)* } $($section: $Section [$($section_doc)+],)+ }
        $( settings! { @section [$($section_doc)+] $section $Section { $($fields)* } } )+
    };
    (
        @whole [$($doc:literal)+] $Whole:ident {
            $( $(#[doc = $help:literal])+ $field:ident: $type:ty = $default:literal, $kind:expr; )+
        }
        $($section:ident: $Section:ident [$($section_doc:literal)+],)+
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $Whole {
            $( $(#[doc = $help])+ pub $field: $type, )+
            $( $(#[doc = $section_doc])+ pub $section: $Section, )+
        }

        impl $Whole {
            /// Every setting, in the order of the reference; `data` is first because defaults refer to it.
            pub fn settings() -> impl Iterator<Item = &'static Setting> {
                const TOP: &[Setting] = &[$( Setting {
                    name: stringify!($field), default: $default, kind: $kind, help: concat!($($help),+),
                } ),+];
                TOP.iter() $( .chain($Section::SETTINGS) )+
            }

            /// Reads every field, so that all mistakes are told at once; `None` when there was one.
            fn read(reader: &mut resolve::Reader<'_>) -> Option<Self> {
                $( let $field = reader.field::<$type>(stringify!($field)); )+
                $( let $section = $Section::read(reader); )+
                Some(Self { $( $field: $field?, )+ $( $section: $section?, )+ })
            }
        }
    };
    (
        @section [$($doc:literal)+] $section:ident $Section:ident {
            $( $(#[doc = $help:literal])+ $field:ident: $type:ty = $default:literal, $kind:expr; )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $Section {
            $( $(#[doc = $help])+ pub $field: $type, )+
        }

        impl $Section {
            const SETTINGS: &[Setting] = &[$( Setting {
                name: concat!(stringify!($section), ".", stringify!($field)),
                default: $default, kind: $kind, help: concat!($($help),+),
            } ),+];

            fn read(reader: &mut resolve::Reader<'_>) -> Option<Self> {
                $( let $field =
                    reader.field::<$type>(concat!(stringify!($section), ".", stringify!($field))); )+
                Some(Self { $( $field: $field?, )+ })
            }
        }
    };
}

pub(super) use settings;
