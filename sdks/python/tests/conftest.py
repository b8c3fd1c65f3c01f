"""What all tests share."""

import pytest
from house import House


@pytest.fixture(scope="session")
def house():
    """A real server."""
    made = House()
    yield made
    made.close()
