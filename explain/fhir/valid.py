"""Resource as a dict -> the same after the library has read it: an invalid one raises here, and not in an EHR."""

from __future__ import annotations

from pydantic import BaseModel

from explain.fhir.codes import Json


def checked(model: type[BaseModel], resource: Json) -> Json:
    """Return a resource as JSON without its empty elements, which FHIR does not allow.

    Raises:
        pydantic.ValidationError: it is not valid FHIR.
    """
    filled = {name: value for name, value in resource.items() if value != []}
    valid: Json = model.model_validate(filled).model_dump(mode="json", exclude_none=True)
    return valid
