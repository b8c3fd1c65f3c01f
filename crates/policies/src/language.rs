//! What policies may speak about: the schema, as text for people and as Cedar reads it.

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema, Validator};
use std::fmt::Write as _;
use std::str::FromStr;

/// The action of a key that is verified.
pub const VERIFY: &str = "verify";
/// The action of a key from which another is minted.
pub const MINT: &str = "mint";
/// The group of everything that administers Keystead.
const ADMINISTER: &str = "administer";
/// The group of what only looks.
const READ: &str = "read";
/// The group of what changes something.
const WRITE: &str = "write";
/// What programs do that guard an API: it is in no group, so that a policy for people does not stop them.
const ASK: &str = "keys.verify";

const ENTITIES: &str = include_str!("schema.cedarschema");

/// The types of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Organization,
    Project,
    Environment,
    Team,
    Member,
    ServiceAccount,
    Consumer,
    Key,
    Action,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Organization,
        Self::Project,
        Self::Environment,
        Self::Team,
        Self::Member,
        Self::ServiceAccount,
        Self::Consumer,
        Self::Key,
        Self::Action,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Organization => "Organization",
            Self::Project => "Project",
            Self::Environment => "Environment",
            Self::Team => "Team",
            Self::Member => "Member",
            Self::ServiceAccount => "ServiceAccount",
            Self::Consumer => "Consumer",
            Self::Key => "Key",
            Self::Action => "Action",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The schema, and what is made of it.
#[derive(Debug)]
pub struct Language {
    text: String,
    pub(crate) validator: Validator,
    actions: Vec<Action>,
    types: Vec<(Kind, EntityTypeName)>,
}

#[derive(Debug)]
struct Action {
    name: String,
    groups: Vec<String>,
}

impl Action {
    fn of_permission(name: &str) -> Self {
        let area = name.split('.').next().unwrap_or(name);
        let groups = if name == ASK {
            Vec::new()
        } else {
            let says = if name.ends_with(".read") { READ } else { WRITE };
            vec![says.to_owned(), area.to_owned()]
        };
        Self { name: name.to_owned(), groups }
    }
}

impl Language {
    /// The language in which these permissions can be forbidden.
    ///
    /// # Errors
    /// When the schema is none: a fault of ours.
    pub fn new<'p>(permissions: impl IntoIterator<Item = &'p str>) -> Result<Self, String> {
        let actions: Vec<Action> = permissions.into_iter().map(Action::of_permission).collect();
        let text = format!("{ENTITIES}{}", of_actions(&actions)?);
        let (schema, _) = Schema::from_cedarschema_str(&text).map_err(|error| error.to_string())?;
        let types = Kind::ALL
            .into_iter()
            .map(|kind| Ok((kind, EntityTypeName::from_str(kind.name()).map_err(|error| error.to_string())?)))
            .collect::<Result<_, String>>()?;
        Ok(Self { text, validator: Validator::new(schema), actions, types })
    }

    /// The schema in Cedar's own language, for people and their tools.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.text
    }

    /// Whether there is such an action that somebody can do.
    #[must_use]
    pub fn knows(&self, action: &str) -> bool {
        [VERIFY, MINT].contains(&action) || self.actions.iter().any(|known| known.name == action)
    }

    pub(crate) fn uid(&self, kind: Kind, id: &str) -> Option<EntityUid> {
        let (_, name) = self.types.iter().find(|(known, _)| *known == kind)?;
        Some(EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id)))
    }

    /// The groups that an action is in, directly or not.
    pub(crate) fn groups(&self, action: &str) -> Vec<&str> {
        let Some(known) = self.actions.iter().find(|known| known.name == action) else { return Vec::new() };
        let own = known.groups.iter().map(String::as_str);
        own.chain((!known.groups.is_empty()).then_some(ADMINISTER)).collect()
    }

    /// Every action that `name` is or has in it.
    pub(crate) fn members(&self, name: &str) -> Vec<String> {
        let all = [VERIFY, MINT].into_iter().chain(self.actions.iter().map(|known| known.name.as_str()));
        all.filter(|action| *action == name || self.groups(action).contains(&name))
            .map(str::to_owned)
            .collect()
    }
}

/// The part of the schema that says what can be done.
fn of_actions(actions: &[Action]) -> Result<String, String> {
    let mut areas: Vec<&str> = actions
        .iter()
        .flat_map(|action| action.groups.iter())
        .map(String::as_str)
        .filter(|group| ![READ, WRITE].contains(group))
        .collect();
    areas.sort_unstable();
    areas.dedup();
    let mut text =
        format!("action \"{ADMINISTER}\";\naction \"{READ}\", \"{WRITE}\" in [\"{ADMINISTER}\"];\n");
    let add = |text: &mut String, line: std::fmt::Arguments<'_>| {
        text.write_fmt(line).map_err(|error| error.to_string())
    };
    for area in areas {
        add(&mut text, format_args!("action \"{area}\" in [\"{ADMINISTER}\"];\n"))?;
    }
    for Action { name, groups } in actions {
        let within = if groups.is_empty() {
            String::new()
        } else {
            let quoted: Vec<String> = groups.iter().map(|group| format!("\"{group}\"")).collect();
            format!(" in [{}]", quoted.join(", "))
        };
        add(
            &mut text,
            format_args!(
                "action \"{name}\"{within} appliesTo {{ principal: [Key, Member], resource: [Organization, Project, Environment], context: Context }};\n"
            ),
        )?;
    }
    Ok(text)
}
