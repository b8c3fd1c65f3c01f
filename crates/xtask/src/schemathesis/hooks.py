"""Keeps the run from cutting off the branch that it sits on: its own key, and the project that it is in."""

import os

import schemathesis

OWN = set(os.environ["SCHEMATHESIS_OWN"].split(","))


@schemathesis.hook
def before_call(context, case, kwargs):
    for name, value in (case.path_parameters or {}).items():
        if str(value) in OWN:
            case.path_parameters[name] = "key_000000000000"
