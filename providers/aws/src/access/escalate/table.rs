//! The ways in which permissions of AWS are known to add up to more, as a table.
//!
//! They are those that Rhino Security Labs ("AWS IAM Privilege Escalation – Methods and
//! Mitigation") and the catalogue pathfinding.cloud describe, each held against the Service
//! Authorization Reference for the actions that it takes.

/// What a method is about; each that there is in the account is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A managed policy that it holds, or that bounds it.
    HeldPolicy,
    /// Itself, where it is a role.
    ItselfAsRole,
    /// Itself, where it is a user.
    ItselfAsUser,
    /// Itself, where it is a role with a boundary.
    BoundedRole,
    /// Itself, where it is a user with a boundary.
    BoundedUser,
    /// Itself, where it is a role of which an inline policy denies something.
    RoleDeniedInline,
    /// Itself, where it is a role of which an attached policy denies something.
    RoleDeniedAttached,
    /// Another user.
    User,
    /// A group.
    Group,
    /// Another role.
    Role,
    /// Another role that it may assume.
    AssumableRole,
    /// Another role that trusts this service, and that it may pass to it.
    Passed(&'static str),
    /// Another role that trusts this service, and that may run what the action changes.
    Running(&'static str),
    /// A role that isn't there yet.
    NewRole,
    /// A user that isn't there yet.
    NewUser,
}

/// Where an action is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// On the target.
    Target,
    /// Anywhere.
    Somewhere,
}

/// A way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) target: Target,
    /// Of each of these one action is needed.
    pub(super) needs: &'static [(&'static [&'static str], On)],
    /// What one does; `{}` is the target.
    pub(super) how: &'static str,
}

const fn one(
    name: &'static str,
    target: Target,
    needs: &'static [(&'static [&'static str], On)],
    how: &'static str,
) -> Method {
    Method {
        name,
        target,
        needs,
        how,
    }
}

use On::{Somewhere, Target as OnIt};
use Target::{
    AssumableRole, BoundedRole, BoundedUser, Group, HeldPolicy, ItselfAsRole, ItselfAsUser,
    NewRole, NewUser, Passed, Role, RoleDeniedAttached, RoleDeniedInline, Running, User,
};

const EC2: &str = "ec2.amazonaws.com";
const LAMBDA: &str = "lambda.amazonaws.com";
const GLUE: &str = "glue.amazonaws.com";
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";
const CODEBUILD: &str = "codebuild.amazonaws.com";
const SAGEMAKER: &str = "sagemaker.amazonaws.com";
const TASKS: &str = "ecs-tasks.amazonaws.com";

/// The ways.
pub(super) const METHODS: &[Method] = &[
    // ---- its own policies
    one(
        "create-policy-version",
        HeldPolicy,
        &[(&["iam:CreatePolicyVersion"], OnIt)],
        "writes a new version of {}, which it holds",
    ),
    one(
        "set-default-policy-version",
        HeldPolicy,
        &[(&["iam:SetDefaultPolicyVersion"], OnIt)],
        "goes back to an earlier version of {}, which it holds",
    ),
    one(
        "attach-role-policy",
        ItselfAsRole,
        &[(&["iam:AttachRolePolicy"], OnIt)],
        "attaches any managed policy to itself, {}",
    ),
    one(
        "put-role-policy",
        ItselfAsRole,
        &[(&["iam:PutRolePolicy"], OnIt)],
        "writes any inline policy for itself, {}",
    ),
    one(
        "attach-user-policy",
        ItselfAsUser,
        &[(&["iam:AttachUserPolicy"], OnIt)],
        "attaches any managed policy to itself, {}",
    ),
    one(
        "put-user-policy",
        ItselfAsUser,
        &[(&["iam:PutUserPolicy"], OnIt)],
        "writes any inline policy for itself, {}",
    ),
    one(
        "attach-group-policy",
        Group,
        &[(&["iam:AttachGroupPolicy"], OnIt)],
        "attaches any managed policy to {}",
    ),
    one(
        "put-group-policy",
        Group,
        &[(&["iam:PutGroupPolicy"], OnIt)],
        "writes any inline policy for {}",
    ),
    one(
        "add-user-to-group",
        Group,
        &[(&["iam:AddUserToGroup"], OnIt)],
        "joins {}",
    ),
    // ---- what holds it back
    one(
        "delete-role-boundary",
        BoundedRole,
        &[(&["iam:DeleteRolePermissionsBoundary"], OnIt)],
        "takes the permission boundary off itself, {}",
    ),
    one(
        "put-role-boundary",
        BoundedRole,
        &[(&["iam:PutRolePermissionsBoundary"], OnIt)],
        "puts a wider permission boundary on itself, {}",
    ),
    one(
        "delete-user-boundary",
        BoundedUser,
        &[(&["iam:DeleteUserPermissionsBoundary"], OnIt)],
        "takes the permission boundary off itself, {}",
    ),
    one(
        "put-user-boundary",
        BoundedUser,
        &[(&["iam:PutUserPermissionsBoundary"], OnIt)],
        "puts a wider permission boundary on itself, {}",
    ),
    one(
        "delete-denying-policy",
        RoleDeniedInline,
        &[(&["iam:DeleteRolePolicy"], OnIt)],
        "deletes an inline policy that denies it something, from itself, {}",
    ),
    one(
        "detach-denying-policy",
        RoleDeniedAttached,
        &[(&["iam:DetachRolePolicy"], OnIt)],
        "detaches a policy that denies it something, from itself, {}",
    ),
    // ---- others
    one(
        "create-access-key",
        User,
        &[(&["iam:CreateAccessKey"], OnIt)],
        "makes an access key of {}",
    ),
    one(
        "create-login-profile",
        User,
        &[(&["iam:CreateLoginProfile"], OnIt)],
        "gives {} a password for the console",
    ),
    one(
        "update-login-profile",
        User,
        &[(&["iam:UpdateLoginProfile"], OnIt)],
        "sets the password of {}",
    ),
    one(
        "update-assume-role-policy",
        Role,
        &[(&["iam:UpdateAssumeRolePolicy"], OnIt)],
        "writes into the trust policy of {} that it may assume it",
    ),
    one(
        "attach-policy-to-assumable-role",
        AssumableRole,
        &[(&["iam:AttachRolePolicy"], OnIt)],
        "attaches any managed policy to {}, which it may assume",
    ),
    one(
        "put-policy-of-assumable-role",
        AssumableRole,
        &[(&["iam:PutRolePolicy"], OnIt)],
        "writes any inline policy for {}, which it may assume",
    ),
    one("assume-role", AssumableRole, &[], "assumes {}"),
    one(
        "create-role",
        NewRole,
        &[
            (&["iam:CreateRole"], OnIt),
            (&["iam:AttachRolePolicy", "iam:PutRolePolicy"], OnIt),
        ],
        "makes {} that trusts it, with any policy",
    ),
    one(
        "create-user",
        NewUser,
        &[
            (&["iam:CreateUser"], OnIt),
            (&["iam:AttachUserPolicy", "iam:PutUserPolicy"], OnIt),
            (&["iam:CreateAccessKey", "iam:CreateLoginProfile"], OnIt),
        ],
        "makes {} with any policy, and a credential for it",
    ),
    // ---- roles passed to services
    one(
        "pass-role-ec2",
        Passed(EC2),
        &[(&["ec2:RunInstances"], Somewhere)],
        "starts an instance that runs as {}",
    ),
    one(
        "pass-role-ec2-profile",
        Passed(EC2),
        &[(
            &[
                "ec2:AssociateIamInstanceProfile",
                "ec2:ReplaceIamInstanceProfileAssociation",
            ],
            Somewhere,
        )],
        "gives an instance that it controls {}",
    ),
    one(
        "pass-role-auto-scaling",
        Passed(EC2),
        &[
            (
                &[
                    "autoscaling:CreateLaunchConfiguration",
                    "ec2:CreateLaunchTemplate",
                ],
                Somewhere,
            ),
            (
                &[
                    "autoscaling:CreateAutoScalingGroup",
                    "autoscaling:UpdateAutoScalingGroup",
                ],
                Somewhere,
            ),
        ],
        "starts instances of a group that run as {}",
    ),
    one(
        "pass-role-emr",
        Passed(EC2),
        &[(&["elasticmapreduce:RunJobFlow"], Somewhere)],
        "starts a cluster that runs as {}",
    ),
    one(
        "pass-role-lambda",
        Passed(LAMBDA),
        &[
            (&["lambda:CreateFunction"], Somewhere),
            (
                &[
                    "lambda:InvokeFunction",
                    "lambda:AddPermission",
                    "lambda:CreateEventSourceMapping",
                    "lambda:CreateFunctionUrlConfig",
                ],
                Somewhere,
            ),
        ],
        "runs a function of its own as {}",
    ),
    one(
        "pass-role-lambda-configuration",
        Passed(LAMBDA),
        &[
            (&["lambda:UpdateFunctionConfiguration"], Somewhere),
            (&["lambda:UpdateFunctionCode"], Somewhere),
        ],
        "makes a function that it changes run as {}",
    ),
    one(
        "pass-role-glue-endpoint",
        Passed(GLUE),
        &[(&["glue:CreateDevEndpoint"], Somewhere)],
        "opens a development endpoint that runs as {}",
    ),
    one(
        "pass-role-glue-job",
        Passed(GLUE),
        &[
            (&["glue:CreateJob", "glue:UpdateJob"], Somewhere),
            (&["glue:StartJobRun", "glue:CreateTrigger"], Somewhere),
        ],
        "runs a job of its own as {}",
    ),
    one(
        "pass-role-glue-session",
        Passed(GLUE),
        &[
            (&["glue:CreateSession"], Somewhere),
            (&["glue:RunStatement"], Somewhere),
        ],
        "runs statements as {}",
    ),
    one(
        "pass-role-cloudformation",
        Passed(CLOUDFORMATION),
        &[(
            &["cloudformation:CreateStack", "cloudformation:UpdateStack"],
            Somewhere,
        )],
        "makes a stack of its own template as {}",
    ),
    one(
        "pass-role-cloudformation-change-set",
        Passed(CLOUDFORMATION),
        &[
            (&["cloudformation:CreateChangeSet"], Somewhere),
            (&["cloudformation:ExecuteChangeSet"], Somewhere),
        ],
        "changes a stack by its own template as {}",
    ),
    one(
        "pass-role-cloudformation-stack-set",
        Passed(CLOUDFORMATION),
        &[(
            &[
                "cloudformation:CreateStackSet",
                "cloudformation:UpdateStackSet",
            ],
            Somewhere,
        )],
        "makes stacks of its own template as {}",
    ),
    one(
        "pass-role-data-pipeline",
        Passed("datapipeline.amazonaws.com"),
        &[
            (&["datapipeline:CreatePipeline"], Somewhere),
            (&["datapipeline:PutPipelineDefinition"], Somewhere),
            (&["datapipeline:ActivatePipeline"], Somewhere),
        ],
        "runs a pipeline of its own as {}",
    ),
    one(
        "pass-role-codebuild",
        Passed(CODEBUILD),
        &[
            (
                &["codebuild:CreateProject", "codebuild:UpdateProject"],
                Somewhere,
            ),
            (
                &["codebuild:StartBuild", "codebuild:StartBuildBatch"],
                Somewhere,
            ),
        ],
        "runs a build of its own as {}",
    ),
    one(
        "pass-role-codestar",
        Passed("codestar.amazonaws.com"),
        &[(&["codestar:CreateProject"], Somewhere)],
        "makes a project as {}",
    ),
    one(
        "pass-role-sagemaker-notebook",
        Passed(SAGEMAKER),
        &[
            (&["sagemaker:CreateNotebookInstance"], Somewhere),
            (&["sagemaker:CreatePresignedNotebookInstanceUrl"], Somewhere),
        ],
        "opens a notebook that runs as {}",
    ),
    one(
        "pass-role-sagemaker-job",
        Passed(SAGEMAKER),
        &[(
            &[
                "sagemaker:CreateTrainingJob",
                "sagemaker:CreateProcessingJob",
                "sagemaker:CreateAutoMLJob",
            ],
            Somewhere,
        )],
        "runs a job of its own as {}",
    ),
    one(
        "pass-role-ecs",
        Passed(TASKS),
        &[
            (&["ecs:RegisterTaskDefinition"], Somewhere),
            (
                &[
                    "ecs:RunTask",
                    "ecs:StartTask",
                    "ecs:CreateService",
                    "ecs:UpdateService",
                ],
                Somewhere,
            ),
        ],
        "runs a task of its own as {}",
    ),
    one(
        "pass-role-ecs-override",
        Passed(TASKS),
        &[(&["ecs:RunTask", "ecs:StartTask"], Somewhere)],
        "runs a task with another command, as {}",
    ),
    one(
        "pass-role-batch",
        Passed(TASKS),
        &[
            (&["batch:RegisterJobDefinition"], Somewhere),
            (&["batch:SubmitJob"], Somewhere),
        ],
        "runs a job of its own as {}",
    ),
    one(
        "pass-role-app-runner",
        Passed("tasks.apprunner.amazonaws.com"),
        &[(
            &["apprunner:CreateService", "apprunner:UpdateService"],
            Somewhere,
        )],
        "runs a service of its own as {}",
    ),
    one(
        "pass-role-step-functions",
        Passed("states.amazonaws.com"),
        &[
            (
                &["states:CreateStateMachine", "states:UpdateStateMachine"],
                Somewhere,
            ),
            (&["states:StartExecution", "states:TestState"], Somewhere),
        ],
        "runs steps of its own as {}",
    ),
    one(
        "pass-role-scheduler",
        Passed("scheduler.amazonaws.com"),
        &[(
            &["scheduler:CreateSchedule", "scheduler:UpdateSchedule"],
            Somewhere,
        )],
        "has requests of its own made as {}",
    ),
    one(
        "pass-role-automation",
        Passed("ssm.amazonaws.com"),
        &[(&["ssm:StartAutomationExecution"], Somewhere)],
        "runs an automation as {}",
    ),
    one(
        "pass-role-agentcore",
        Passed("bedrock-agentcore.amazonaws.com"),
        &[
            (&["bedrock-agentcore:CreateCodeInterpreter"], Somewhere),
            (
                &["bedrock-agentcore:StartCodeInterpreterSession"],
                Somewhere,
            ),
            (&["bedrock-agentcore:InvokeCodeInterpreter"], Somewhere),
        ],
        "runs code of its own as {}",
    ),
    // ---- what runs already
    one(
        "update-function-code",
        Running(LAMBDA),
        &[(&["lambda:UpdateFunctionCode"], Somewhere)],
        "changes the code of a function that runs as {}",
    ),
    one(
        "update-function-layers",
        Running(LAMBDA),
        &[(&["lambda:UpdateFunctionConfiguration"], Somewhere)],
        "puts a layer of its own under a function that runs as {}",
    ),
    one(
        "run-on-instance",
        Running(EC2),
        &[(
            &[
                "ssm:SendCommand",
                "ssm:StartSession",
                "ec2-instance-connect:SendSSHPublicKey",
                "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
            ],
            Somewhere,
        )],
        "runs commands on an instance that runs as {}",
    ),
    one(
        "change-user-data",
        Running(EC2),
        &[
            (&["ec2:ModifyInstanceAttribute"], Somewhere),
            (&["ec2:StopInstances"], Somewhere),
            (&["ec2:StartInstances"], Somewhere),
        ],
        "has an instance that runs as {} start with commands of its own",
    ),
    one(
        "update-glue-endpoint",
        Running(GLUE),
        &[(&["glue:UpdateDevEndpoint"], Somewhere)],
        "puts a key of its own on a development endpoint that runs as {}",
    ),
    one(
        "update-glue-job",
        Running(GLUE),
        &[
            (&["glue:UpdateJob"], Somewhere),
            (&["glue:StartJobRun", "glue:CreateTrigger"], Somewhere),
        ],
        "changes a job that runs as {}",
    ),
    one(
        "update-stack",
        Running(CLOUDFORMATION),
        &[(&["cloudformation:UpdateStack"], Somewhere)],
        "changes a stack that is made as {}",
    ),
    one(
        "start-build",
        Running(CODEBUILD),
        &[(
            &["codebuild:StartBuild", "codebuild:StartBuildBatch"],
            Somewhere,
        )],
        "has a project that runs as {} build something of its own",
    ),
    one(
        "open-notebook",
        Running(SAGEMAKER),
        &[(&["sagemaker:CreatePresignedNotebookInstanceUrl"], Somewhere)],
        "opens a notebook that runs as {}",
    ),
    one(
        "run-in-task",
        Running(TASKS),
        &[(&["ecs:ExecuteCommand"], Somewhere)],
        "runs commands in a task that runs as {}",
    ),
];
