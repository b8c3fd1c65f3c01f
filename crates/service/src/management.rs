//! The permissions that guard Keystead's own API: the catalogue of every system project.

/// A management permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Management {
    /// Its name.
    pub name: &'static str,
    /// What it lets its holder do.
    pub description: &'static str,
    /// Deserves extra care when it is given.
    pub sensitive: bool,
}

macro_rules! permissions {
    ($($constant:ident = $name:literal, $sensitive:literal, $description:literal;)*) => {
        $(#[doc = $description] pub const $constant: &str = $name;)*

        /// Every management permission of an organization.
        pub const ALL: &[Management] = &[
            $(Management { name: $name, description: $description, sensitive: $sensitive },)*
        ];
    };
}

permissions! {
    PROJECTS_READ = "projects.read", false, "See projects and environments.";
    PROJECTS_WRITE = "projects.write", false, "Create and change projects and environments.";
    CATALOGUE_READ = "catalogue.read", false, "See permissions and roles.";
    CATALOGUE_WRITE = "catalogue.write", true, "Create, change and delete permissions and roles.";
    CONSUMERS_READ = "consumers.read", false, "See consumers.";
    CONSUMERS_WRITE = "consumers.write", false, "Create, change and delete consumers.";
    ACCOUNTS_READ = "accounts.read", false, "See service accounts.";
    ACCOUNTS_WRITE = "accounts.write", true, "Create, change and delete service accounts.";
    KEYS_READ = "keys.read", false, "See keys (never their secrets), and explain verdicts.";
    KEYS_CREATE = "keys.create", true, "Issue keys.";
    KEYS_UPDATE = "keys.update", true, "Change, disable, enable and suspend keys.";
    KEYS_ROTATE = "keys.rotate", true, "Rotate keys: see the new secret, complete and cancel.";
    KEYS_REVOKE = "keys.revoke", false, "Disable, suspend and revoke keys.";
    KEYS_DELETE = "keys.delete", true, "Purge revoked keys.";
    KEYS_OWN = "keys.own", false, "Make, change, rotate and revoke keys of one's own.";
    KEYS_VERIFY = "keys.verify", false, "Ask for verdicts on keys.";
    PEOPLE_READ = "people.read", false, "See members and teams, and what they may do.";
    PEOPLE_WRITE = "people.write", true, "Invite, change and disable members and teams.";
    AUTHORITY_GRANT = "authority.grant", true, "Set what members and teams may do with a project's API.";
    GUARDS_READ = "guards.read", false, "See how APIs are guarded, and what observing found.";
    GUARDS_WRITE = "guards.write", true, "Set how APIs are guarded.";
    GUARDRAILS_READ = "guardrails.read", false, "See guardrails.";
    GUARDRAILS_WRITE = "guardrails.write", true, "Set guardrails.";
    GUIDELINES_WRITE = "guidelines.write", false, "Publish the rules for handling keys.";
    POLICIES_READ = "policies.read", false, "See policies, and try them.";
    POLICIES_WRITE = "policies.write", true, "Write policies, which forbid what permissions would allow.";
    AUDIT_READ = "audit.read", false, "Read the audit.";
    APPROVALS_READ = "approvals.read", false, "See what others ask to have approved.";
    APPROVALS_DECIDE = "approvals.decide", true, "Approve and deny what others ask for, as far as one may do it oneself.";
    APPROVALS_BREAK_GLASS = "approvals.break_glass", true, "Make keys without the approval that a guardrail demands; everyone who decides is told.";
}

/// What only the installation's own organization has.
pub const INSTALLATION_ADMIN: &str = "installation.admin";

/// The permissions of the installation's operator, in its first organization only.
pub const OPERATOR: &[Management] = &[Management {
    name: INSTALLATION_ADMIN,
    description: "Create organizations, and verify keys without naming their project.",
    sensitive: true,
}];

/// A role that every organization has from the start, of Keystead's own permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInRole {
    /// Its name.
    pub name: &'static str,
    /// For whom it is.
    pub description: &'static str,
    /// What it gives.
    pub permissions: &'static [&'static str],
}

/// Roles that suit most. They can be changed and deleted like any other; a deleted one comes back at the next start.
pub const ROLES: &[BuiltInRole] = &[
    BuiltInRole { name: "owner", description: "May do everything.", permissions: &["**"] },
    BuiltInRole {
        name: "administrator",
        description: "Looks after people, projects, keys and guardrails.",
        permissions: &[
            "projects.*",
            "catalogue.*",
            "consumers.*",
            "accounts.*",
            "keys.*",
            "people.*",
            "authority.grant",
            "guards.*",
            "guardrails.*",
            "guidelines.write",
            "policies.*",
            "audit.read",
            "approvals.*",
        ],
    },
    BuiltInRole {
        name: "key-manager",
        description: "Issues and looks after everybody's keys.",
        permissions: &[
            "projects.read",
            "catalogue.read",
            "consumers.*",
            "accounts.read",
            "keys.*",
            "approvals.read",
            "approvals.decide",
        ],
    },
    BuiltInRole {
        name: "developer",
        description: "Makes and looks after keys of their own.",
        permissions: &["projects.read", "catalogue.read", "keys.own"],
    },
    BuiltInRole {
        name: "auditor",
        description: "Sees everything, changes nothing.",
        permissions: &[
            "projects.read",
            "catalogue.read",
            "consumers.read",
            "accounts.read",
            "keys.read",
            "people.read",
            "guards.read",
            "guardrails.read",
            "policies.read",
            "audit.read",
            "approvals.read",
        ],
    },
    BuiltInRole {
        name: "billing",
        description: "Sets the limits of consumers and keys.",
        permissions: &["projects.read", "consumers.*", "keys.read", "keys.update"],
    },
];
