"""Runs moto on a port, with the operations it lacks and without the answers it gets wrong.

    python3 launch.py PORT FOLDER

FOLDER is only there to be seen in the process's command line. What is added here is what needs
the data that moto holds; what AWS refuses is refused by the proxy in front.
"""

import json
import sys
import time

from moto.core.responses import EmptyResult
from moto.iam import models as iam
from moto.iam.exceptions import NotFoundException
from moto.iam.policy_validation import BaseIAMPolicyValidator
from moto.iam.responses import IamResponse
from moto.secretsmanager import models as secrets
from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    SecretNotFoundException,
)
from moto.server import main

# What AWS finds for itself where no thumbprint is given.
OWN_THUMBPRINT = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"


def operation(responses):
    def add(function):
        setattr(responses, function.__name__, function)
        return function

    return add


# --- IAM: documents of the older version, which AWS refuses in managed policies alone

BaseIAMPolicyValidator._validate_version = lambda self: None


# --- IAM: audiences of an OpenID Connect provider


def provider(response):
    return response.backend.get_open_id_connect_provider(
        response._get_param("OpenIDConnectProviderArn")
    )


@operation(IamResponse)
def add_client_id_to_open_id_connect_provider(self):
    found, client = provider(self), self._get_param("ClientID")
    if client not in found.client_id_list:
        found.client_id_list.append(client)
    return EmptyResult()


@operation(IamResponse)
def remove_client_id_from_open_id_connect_provider(self):
    found, client = provider(self), self._get_param("ClientID")
    found.client_id_list = [one for one in found.client_id_list if one != client]
    return EmptyResult()


create_provider = IamResponse.create_open_id_connect_provider


@operation(IamResponse)
def create_open_id_connect_provider(self):
    result = create_provider(self)
    found = self.backend.get_open_id_connect_provider(result.result["OpenIDConnectProviderArn"])
    # The lists are those of the request until they are copied.
    found.client_id_list = list(found.client_id_list)
    found.thumbprint_list = list(found.thumbprint_list) or [OWN_THUMBPRINT]
    return result


# --- IAM: the boundary of a user

iam.User.permissions_boundary_arn = None
iam.User.permissions_boundary = property(
    lambda self: (
        {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": self.permissions_boundary_arn,
        }
        if self.permissions_boundary_arn
        else None
    )
)
create_user_as_it_is = IamResponse.create_user


@operation(IamResponse)
def create_user(self):
    result = create_user_as_it_is(self)
    result.result["User"].permissions_boundary_arn = self._get_param("PermissionsBoundary")
    return result


@operation(IamResponse)
def put_user_permissions_boundary(self):
    user = self.backend.get_user(self._get_param("UserName"))
    user.permissions_boundary_arn = self._get_param("PermissionsBoundary")
    return EmptyResult()


@operation(IamResponse)
def delete_user_permissions_boundary(self):
    user = self.backend.get_user(self._get_param("UserName"))
    if not user.permissions_boundary_arn:
        raise NotFoundException(f"Permissions boundary of user {user.name} not found")
    user.permissions_boundary_arn = None
    return EmptyResult()


# --- IAM: what the listing of everything leaves out of a policy

iam.ManagedPolicy.policy_name = property(lambda self: self.name)
iam.ManagedPolicy.policy_id = property(lambda self: self.id)


# --- IAM: a new path takes along what hangs on the ARN


@operation(iam.IAMBackend)
def update_user(self, user_name, new_path=None, new_user_name=None):
    user = self.get_user(user_name)
    tags = user.tags or []
    self.tagger.delete_all_tags_for_resource(user.arn)
    user.path = new_path or user.path
    if new_user_name:
        user.name = new_user_name
        self.users[new_user_name] = self.users.pop(user_name)
    self.tagger.tag_resource(user.arn, tags)


rename_group = iam.IAMBackend.update_group


@operation(iam.IAMBackend)
def update_group(self, group_name, new_group_name, new_path):
    if new_group_name and new_group_name != group_name:
        return rename_group(self, group_name, new_group_name, new_path)
    group = self.get_group(group_name)
    group.path = new_path or group.path


# --- IAM: a role's description is left alone where a request does not say it


@operation(IamResponse)
def update_role(self):
    role = self.backend.get_role(self._get_param("RoleName"))
    description = self._get_param("Description")
    if description is not None:
        role.description = description
    role.max_session_duration = self._get_param("MaxSessionDuration", 3600)
    return EmptyResult()


# --- Secrets Manager


def secret_of(backend, secret_id):
    if not backend._is_valid_identifier(secret_id):
        raise SecretNotFoundException()
    return backend.secrets[secret_id]


create_as_it_is = secrets.SecretsManagerBackend.create_secret


@operation(secrets.SecretsManagerBackend)
def create_secret(self, name, **more):
    if self._is_valid_identifier(name) and self.secrets[name].is_deleted():
        raise InvalidRequestException(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    return create_as_it_is(self, name=name, **more)


update_as_it_is = secrets.SecretsManagerBackend.update_secret


@operation(secrets.SecretsManagerBackend)
def update_secret(self, secret_id, description=None, **more):
    answer = update_as_it_is(self, secret_id=secret_id, description=description, **more)
    if description is not None:
        secret_of(self, secret_id).description = description
    return answer


@operation(secrets.SecretsManagerBackend)
def rotate_secret(
    self,
    secret_id,
    client_request_token=None,
    rotation_lambda_arn=None,
    rotation_rules=None,
    rotate_immediately=True,
):
    """The rules are kept; a rotation that is asked for at once only leaves its pending version."""
    secret = secret_of(self, secret_id)
    if secret.is_deleted():
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    function = rotation_lambda_arn or secret.rotation_lambda_arn
    if not function:
        raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
    rules = rotation_rules or getattr(secret, "rotation_rules", {})
    if "AutomaticallyAfterDays" in rules and "ScheduleExpression" in rules:
        raise InvalidParameterException(
            "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules."
        )
    if not 1 <= rules.get("AutomaticallyAfterDays", 1) <= 1000:
        raise InvalidParameterException("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    pending = [one for one in secret.versions.values() if "AWSPENDING" in one["version_stages"]]
    if any("AWSCURRENT" not in one["version_stages"] for one in pending):
        raise InvalidRequestException(
            "A previous rotation isn't complete. That rotation will be reattempted."
        )
    secret.rotation_lambda_arn, secret.rotation_rules = function, rules
    secret.rotation_requested = secret.rotation_enabled = True
    secret.last_rotation_date = None
    if rotate_immediately and secret.versions:
        # A version without a value, as a rotation that stopped half-way leaves it.
        version = client_request_token or f"pending-{len(secret.versions)}-{int(time.time())}"
        secret.versions[version] = {
            "createdate": int(time.time()),
            "version_id": version,
            "version_stages": ["AWSPENDING"],
        }
    return secret.to_short_dict()


told_as_it_is = secrets.FakeSecret.to_dict


@operation(secrets.FakeSecret)
def to_dict(self):
    told = told_as_it_is(self)
    if self.rotation_requested:
        told["RotationRules"] = getattr(self, "rotation_rules", {})
    # AWS leaves out what is not there; a null is read as a value by some.
    return {name: value for name, value in told.items() if value is not None}


@operation(secrets.SecretsManagerBackend)
def put_resource_policy(self, secret_id, policy):
    secret = secret_of(self, secret_id)
    if secret.is_deleted():
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    # AWS keeps the document, not its text.
    secret.policy = json.dumps(json.loads(policy), separators=(",", ":"))
    return secret.arn, secret.name


if __name__ == "__main__":
    port, _folder = sys.argv[1:]
    main(["--port", port])
