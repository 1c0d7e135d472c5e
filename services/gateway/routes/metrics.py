"""GET /metrics: the figures of the installation, for Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from services.gateway.state import gateway_of

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(request: Request) -> Response:
    """Return figures in the text format of Prometheus. Like a probe it asks for no token, and it names no tenant."""
    return Response(await gateway_of(request).metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
