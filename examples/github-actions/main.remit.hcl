# Workflows of one repository log in with the token that GitHub gives each job.

provider "vault" {} # address and token come from BAO_ADDR and BAO_TOKEN

variable "repository" {
  description = "OWNER/NAME of the repository whose workflows are the agents"
  type        = string
  default     = "example-org/release-tools"
}

variable "repository_id" {
  description = "Its number: a repository made later under the same name has another"
  type        = string
  default     = "123456789"
}

owner "release_engineering" {
  contact    = "release-engineering@example.com"
  escalation = "https://oncall.example.com/release"

  # Who may approve a plan that gives more in production: put your own keys here.
  approvers = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/xwer6DxT+GU+iHPAV9DSKN/kevmjJH+9kHcGUGWA9 approver-1",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBCojcJyTHZE9XPayDgusXC5QdmLHRtJD4gFvfpcnher approver-2",
  ]
}

environment "production" {
  tier        = "production"
  max_session = "30m"
}

environment "staging" {
  tier = "staging"
}

issuer "github" {
  type     = "github"
  audience = ["https://bao.example.com"]

  # Without these two lines the server fetches GitHub's keys when the issuer is made. They are here
  # so that the example can be planned and applied without the network.
  public_keys = [file("example-issuer.pem")]
}

agent "release_notes" {
  owner     = owner.release_engineering
  purpose   = "Write release notes from merged changes"
  autonomy  = "supervised"
  review_by = "2027-06-30"
}

agent "dependency_updater" {
  owner    = owner.release_engineering
  purpose  = "Propose updates of dependencies as pull requests"
  autonomy = "autonomous"
  ceiling  = [scope.package_registry_read]
}

scope "package_registry_read" {
  description = "Read the token for the package registry"
  domain      = "release"
  risk        = "low"

  grant "vault" {
    path         = "ci/data/shared/package-registry"
    capabilities = ["read"]
  }
}

scope "release_publish" {
  description = "Read what publishing to one's own environment needs, and sign with its key"
  domain      = "release"
  risk        = "high"

  grant "vault" {
    path         = "ci/data/${identity.environment}/publish"
    capabilities = ["read"]
  }
  grant "vault" {
    path                = "transit/sign/release-${identity.environment}"
    capabilities        = ["update"]
    required_parameters = ["input"]
  }
}

# Bound to an environment of GitHub, whose protection rules decide which jobs may use it.
identity "release_notes" {
  for_each    = { production = environment.production, staging = environment.staging }
  agent       = agent.release_notes
  environment = each.value
  domain      = "release"
  scopes      = [scope.package_registry_read, scope.release_publish]

  workload {
    issuer        = issuer.github
    repository    = var.repository
    repository_id = var.repository_id
    environment   = each.key
  }

  session {
    ttl     = "10m"
    max_ttl = "30m"
  }
}

# Bound to the main branch: a job of a pull request or of another branch can't log in as it.
identity "dependency_updater" {
  agent       = agent.dependency_updater
  environment = environment.staging
  domain      = "release"
  scopes      = [scope.package_registry_read]

  workload {
    issuer        = issuer.github
    repository    = var.repository
    repository_id = var.repository_id
    ref           = "refs/heads/main"
  }
}

resource "vault_secrets_mount" "ci" {
  path    = "ci"
  type    = "kv"
  options = { version = "2" }
}

resource "vault_secrets_mount" "transit" {
  path = "transit"
  type = "transit"
}

output "logins" {
  description = "Where each identity logs in, and as what"
  value = {
    for key, one in merge(
      { for environment, one in identity.release_notes : "release_notes-${environment}" => one },
      { dependency_updater = identity.dependency_updater },
    ) : key => { path = "auth/${one.vault_mount}/login", role = one.vault_role }
  }
}
