//! Members, teams, and what people own.

use crate::{Client, Error};
use keystead_api::{
    BulkOutcome, CreateMember, CreateTeam, HandOverKeys, Member, OwnedKey, Page, PageQuery, Team,
    TeamMembers, UpdateMember, UpdateTeam,
};

impl Client {
    /// Members of the organization, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_members(&self, page: &PageQuery) -> Result<Page<Member>, Error> {
        self.get(&["v1", "members"], page).await
    }

    /// Adds a person to the organization.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_member(&self, new: &CreateMember) -> Result<Member, Error> {
        self.post(&["v1", "members"], new).await
    }

    /// A member by id or e-mail address; `me` is the caller.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn member(&self, member: &str) -> Result<Member, Error> {
        self.get(&["v1", "members", member], &()).await
    }

    /// Changes a member (id or e-mail address); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_member(
        &self,
        member: &str,
        changes: &UpdateMember,
        if_match: Option<i64>,
    ) -> Result<Member, Error> {
        self.patch(&["v1", "members", member], changes, if_match).await
    }

    /// Deletes a member (id or e-mail address); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while the person owns keys.
    pub async fn delete_member(&self, member: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "members", member], if_match).await
    }

    /// The keys that a person owns, themselves and in teams' names.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is no such member.
    pub async fn keys_of_member(&self, member: &str) -> Result<Page<OwnedKey>, Error> {
        self.get(&["v1", "members", member, "keys"], &()).await
    }

    /// One call of handing over everything that a person owns; see [`BulkOutcome::next_cursor`].
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when there are more keys than expected.
    pub async fn hand_over_keys(&self, member: &str, to: &HandOverKeys) -> Result<BulkOutcome, Error> {
        self.post(&["v1", "members", member, "keys", "hand-over"], to).await
    }

    /// Teams of the organization, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_teams(&self, page: &PageQuery) -> Result<Page<Team>, Error> {
        self.get(&["v1", "teams"], page).await
    }

    /// Makes a team.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_team(&self, new: &CreateTeam) -> Result<Team, Error> {
        self.post(&["v1", "teams"], new).await
    }

    /// A team by id or name.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn team(&self, team: &str) -> Result<Team, Error> {
        self.get(&["v1", "teams", team], &()).await
    }

    /// Changes a team (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_team(
        &self,
        team: &str,
        changes: &UpdateTeam,
        if_match: Option<i64>,
    ) -> Result<Team, Error> {
        self.patch(&["v1", "teams", team], changes, if_match).await
    }

    /// Deletes a team (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while there are keys made in its name.
    pub async fn delete_team(&self, team: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "teams", team], if_match).await
    }

    /// Everyone who is or was in a team.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is no such team.
    pub async fn team_members(&self, team: &str) -> Result<TeamMembers, Error> {
        self.get(&["v1", "teams", team, "members"], &()).await
    }

    /// Puts a member in a team.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 403 when what the team may do is not the caller's to give.
    pub async fn join_team(&self, team: &str, member: &str) -> Result<TeamMembers, Error> {
        self.put(&["v1", "teams", team, "members", member], &(), None).await
    }

    /// Takes a member out of a team.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when they are not in it.
    pub async fn leave_team(&self, team: &str, member: &str) -> Result<(), Error> {
        self.delete(&["v1", "teams", team, "members", member], None).await
    }
}
