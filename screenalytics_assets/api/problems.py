"""Errors as problem documents (RFC 9457): our errors, the framework's, and what nobody expected."""

from __future__ import annotations

import logging
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from screenalytics_core.errors import ScreenalyticsError

_LOG: Final = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
# By `ScreenalyticsError.code`; an error that is not named here is the server's fault: 500.
STATUSES: Final = {
    "invalid_id": HTTPStatus.UNPROCESSABLE_ENTITY,
    "settings_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "video_unusable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "video_changed": HTTPStatus.CONFLICT,
    "episode_video_conflict": HTTPStatus.CONFLICT,
    "truth_unusable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "model_unusable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "gallery_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "decision_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "artifact_missing": HTTPStatus.NOT_FOUND,
    "run_not_found": HTTPStatus.NOT_FOUND,
    "backfill_not_found": HTTPStatus.NOT_FOUND,
    "storage_key_missing": HTTPStatus.NOT_FOUND,
    "input_conflict": HTTPStatus.CONFLICT,
    "run_settings_conflict": HTTPStatus.CONFLICT,
    "run_busy": HTTPStatus.CONFLICT,
    "run_done": HTTPStatus.CONFLICT,
    "run_exists": HTTPStatus.CONFLICT,
    "job_not_found": HTTPStatus.NOT_FOUND,
    "job_ended": HTTPStatus.CONFLICT,
    "idempotency_key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "daemon_missing": HTTPStatus.SERVICE_UNAVAILABLE,
    "model_install_failed": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_failed": HTTPStatus.SERVICE_UNAVAILABLE,
    "disk_space": HTTPStatus.INSUFFICIENT_STORAGE,
}

# What is wrong with the server is for its log, which may name its folders; clients are told
# what they can do.
_TOLD: Final = {
    "daemon_missing": "Nothing takes jobs from the queue now. What does starts with the server "
    "and beats within some seconds: try again in a moment.",
    "model_install_failed": "The models that the run needs are not installed on the server, and "
    "a request installs none: run `screenalytics models install lite` there.",
    "storage_failed": "The server's storage does not answer as it should: try again later.",
    "disk_space": "The server has too little room left for this.",
    "artifact_corrupt": "A file of the server is damaged; its log says which.",
}
_FAILED: Final = "The server failed; its log says how."


class BodyFault(StrEnum):
    """What may be wrong with a body, before anybody looks at what it asks for: codes."""

    UNREADABLE = "body_unreadable"
    INCOMPLETE = "body_incomplete"
    STALLED = "body_stalled"
    TOO_LARGE = "body_too_large"

    @property
    def status(self) -> HTTPStatus:
        """What is answered."""
        if self is BodyFault.TOO_LARGE:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return HTTPStatus.REQUEST_TIMEOUT if self is BodyFault.STALLED else HTTPStatus.BAD_REQUEST


class BodyError(HTTPException):
    """A body that is not taken."""

    def __init__(self, fault: BodyFault, detail: str) -> None:
        super().__init__(fault.status, detail)
        self.fault = fault


class Problem(BaseModel):
    """A problem document.

    Attributes:
        type: Names the kind of problem; `about:blank` where the status says all.
        code: `ScreenalyticsError.code`, for programs.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[dict[str, Any]] = Field(default_factory=list)


def problem(status: int, detail: str, code: str | None = None, **more: Any) -> JSONResponse:
    """Return a problem document as the answer to a request."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, **more
    ).model_dump(exclude_none=True)
    if not body["errors"]:
        del body["errors"]
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def status_of(error: ScreenalyticsError) -> HTTPStatus:
    """Return the status that tells of one of our errors."""
    return STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)


def told_of(error: ScreenalyticsError) -> str:
    """Return what a client is told of one of our errors; what it is not told, the log is."""
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("%s", error)
    return detail_of(error)


def detail_of(error: ScreenalyticsError) -> str:
    """Return what a client is told of one of our errors: nothing of the server's insides."""
    if status_of(error) < HTTPStatus.INTERNAL_SERVER_ERROR:
        way_out = error.fields.get("over_http")
        told = error if way_out is None else type(error)(**{**error.fields, "way_out": way_out})
        return str(told)
    return _TOLD.get(error.code, _FAILED)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return `responses=` of a route that may answer with these problems.

    A body or parameter that is not valid (422) and a server's fault (500) are stated by
    naming them, like any other.
    """
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
        for status in statuses
    }


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error that leaves a route a problem document."""

    @app.exception_handler(ScreenalyticsError)
    async def ours(_request: Request, error: ScreenalyticsError) -> JSONResponse:
        answer = problem(status_of(error), told_of(error), error.code)
        if "retry_after_s" in error.fields:
            answer.headers["retry-after"] = str(error.retry_after_s)
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # `input` may hold what must not be repeated, and `ctx` what JSON cannot hold.
        errors = [{k: e[k] for k in ("loc", "msg", "type")} for e in error.errors()]
        return problem(422, "The request is not valid.", "request_invalid", errors=errors)

    @app.exception_handler(HTTPException)
    async def framework(_request: Request, error: HTTPException) -> JSONResponse:
        # The framework itself says 400 of nothing else.
        is_body = error.status_code == HTTPStatus.BAD_REQUEST
        by_itself = BodyFault.UNREADABLE if is_body else None
        code = error.fault if isinstance(error, BodyError) else by_itself
        answer = problem(error.status_code, str(error.detail), code)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, _FAILED, "internal")
