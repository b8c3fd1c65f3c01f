"""Run: KEYSTEAD_KEY=… uvicorn --no-proxy-headers fastapi_app:app"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from keystead import AsyncKeystead, Verdict
from keystead.fastapi import Keys

keystead = AsyncKeystead(
    os.environ.get("KEYSTEAD_URL", "http://127.0.0.1:7700"),
    os.environ["KEYSTEAD_KEY"],
    project="acme",
    environment="production",
)
keys = Keys(keystead)

app = FastAPI()
keys.install(app)

Reader = Annotated[Verdict, Depends(keys.require("routes.read"))]
OnNetwork = Annotated[Verdict, Depends(keys.require("routes.read", resource="networks/{network}"))]


@app.get("/v1/routes")
async def routes(caller: Reader) -> dict[str, object]:
    """Needs `routes.read`."""
    return {"routes": ["203.0.113.0/24"], "asked_by": caller.key_id}


@app.get("/v1/networks/{network}/routes")
async def routes_of(network: str, caller: OnNetwork) -> dict[str, object]:
    """Needs `routes.read` on that network."""
    return {"network": network, "asked_by": caller.key_id}
