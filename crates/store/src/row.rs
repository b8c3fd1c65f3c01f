//! One macro that writes a row's struct, its values in column order, and how both drivers read it.

/// A table's row: its fields are the columns, in the order of the statement that selects them.
///
/// A row that no statement takes as a whole is marked `only_read`.
macro_rules! row {
    ($(#[$meta:meta])* only_read $name:ident { $( $(#[$field_meta:meta])* $field:ident : $type:ty ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        $crate::row::row!(@read sqlx::sqlite::SqliteRow, $name { $( $field: $type, )* });
        $crate::row::row!(@read sqlx::postgres::PgRow, $name { $( $field: $type, )* });
    };
    ($(#[$meta:meta])* $name:ident { $( $(#[$field_meta:meta])* $field:ident : $type:ty ),* $(,)? }) => {
        $crate::row::row! {
            $(#[$meta])*
            only_read $name { $( $(#[$field_meta])* $field : $type, )* }
        }

        impl $name {
            pub(crate) const WIDTH: usize = [$(stringify!($field)),*].len();

            /// Every column's value, in order.
            pub(crate) fn values(&self) -> [$crate::value::Value<'_>; Self::WIDTH] {
                [$( $crate::value::Column::value(&self.$field) ),*]
            }
        }
    };
    (@read $row:ty, $name:ident { $( $field:ident : $type:ty, )* }) => {
        impl<'r> sqlx::FromRow<'r, $row> for $name {
            fn from_row(row: &'r $row) -> Result<Self, sqlx::Error> {
                let mut next = 0..;
                $(
                    let stored = sqlx::Row::try_get::<<$type as $crate::value::Column>::Stored, usize>(
                        row,
                        next.next().unwrap_or_default(),
                    )?;
                    let $field = <$type as $crate::value::Column>::load(stored)
                        .map_err(|unreadable| sqlx::Error::Decode(Box::new(unreadable)))?;
                )*
                Ok(Self { $( $field ),* })
            }
        }
    };
}
pub(crate) use row;
