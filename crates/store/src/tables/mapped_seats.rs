//! Seats that came from an identity provider's groups: only these does it take away again.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{IdentityProviderId, MemberId, OrganizationId, SeatId};

statements! {
    PUT(2) = "INSERT INTO mapped_seats (seat_id, provider_id) VALUES ($1, $2) \
        ON CONFLICT (seat_id) DO UPDATE SET provider_id = excluded.provider_id";
    OF_MEMBER(3) = "SELECT m.seat_id FROM mapped_seats m JOIN seats s ON s.id = m.seat_id \
        WHERE m.provider_id = $1 AND s.organization_id = $2 AND s.member_id = $3";
    OF_PROVIDER(1) = "SELECT seat_id FROM mapped_seats WHERE provider_id = $1";
    DELETE(1) = "DELETE FROM mapped_seats WHERE seat_id = $1";
}

impl Conn {
    /// A member's seats that came from a provider.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mapped_seats_of_member(
        &mut self,
        provider: IdentityProviderId,
        organization: OrganizationId,
        member: MemberId,
    ) -> Result<Vec<SeatId>, StoreError> {
        let values = [provider.value(), organization.value(), member.value()];
        seats(self.rows(&OF_MEMBER, values).await?)
    }

    /// Every seat that came from a provider.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mapped_seats_of_provider(
        &mut self,
        provider: IdentityProviderId,
    ) -> Result<Vec<SeatId>, StoreError> {
        seats(self.rows(&OF_PROVIDER, [provider.value()]).await?)
    }
}

fn seats(rows: Vec<(Vec<u8>,)>) -> Result<Vec<SeatId>, StoreError> {
    rows.into_iter().map(|(id,)| SeatId::from_slice(&id).ok_or(StoreError::Corrupt("a seat's id"))).collect()
}

impl Tx {
    /// Notes that a seat came from a provider.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when there is no such seat or provider, or when the database cannot answer.
    pub async fn put_mapped_seat(
        &mut self,
        seat: SeatId,
        provider: IdentityProviderId,
    ) -> Result<(), StoreError> {
        self.write("mapped_seats", &seat.0, &PUT, [seat.value(), provider.value()]).await.map(|_| ())
    }

    /// Notes that a seat is no longer a provider's; `false` when it was none's.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_mapped_seat(&mut self, seat: SeatId) -> Result<bool, StoreError> {
        self.write("mapped_seats", &seat.0, &DELETE, [seat.value()]).await
    }
}
