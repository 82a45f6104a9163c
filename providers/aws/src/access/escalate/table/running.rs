//! Ways through what runs already: changed, or told to do something else.

use super::On::Somewhere;
use super::Target::Running;
use super::{
    AGENTCORE, APP_RUNNER, CLOUDFORMATION, CODEBUILD, EC2, GLUE, LAMBDA, Method, SAGEMAKER, STATES,
    TASKS, one,
};

pub(super) const RUNNING: &[Method] = &[
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
                "ssm:CreateAssociation",
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
        &[(
            &[
                "sagemaker:CreatePresignedNotebookInstanceUrl",
                "sagemaker:CreatePresignedDomainUrl",
            ],
            Somewhere,
        )],
        "opens a notebook that runs as {}",
    ),
    one(
        "run-in-task",
        Running(TASKS),
        &[(&["ecs:ExecuteCommand"], Somewhere)],
        "runs commands in a task that runs as {}",
    ),
    one(
        "change-launch-template",
        Running(EC2),
        &[
            (&["ec2:CreateLaunchTemplateVersion"], Somewhere),
            (&["ec2:ModifyLaunchTemplate"], Somewhere),
        ],
        "has instances that run as {} start with commands of its own",
    ),
    one(
        "deploy-to-instance",
        Running(EC2),
        &[
            (&["codedeploy:CreateDeployment"], Somewhere),
            (&["codedeploy:RegisterApplicationRevision"], Somewhere),
        ],
        "deploys something of its own to an instance that runs as {}",
    ),
    one(
        "add-cluster-steps",
        Running(EC2),
        &[(&["elasticmapreduce:AddJobFlowSteps"], Somewhere)],
        "runs steps of its own on a cluster that runs as {}",
    ),
    one(
        "change-stack",
        Running(CLOUDFORMATION),
        &[
            (&["cloudformation:CreateChangeSet"], Somewhere),
            (&["cloudformation:ExecuteChangeSet"], Somewhere),
        ],
        "changes a stack that is made as {}, by a change set",
    ),
    one(
        "update-stack-set",
        Running(CLOUDFORMATION),
        &[(&["cloudformation:UpdateStackSet"], Somewhere)],
        "changes stacks of a set that are made as {}",
    ),
    one(
        "update-project",
        Running(CODEBUILD),
        &[(&["codebuild:UpdateProject"], Somewhere)],
        "changes what a project that runs as {} does",
    ),
    one(
        "change-notebook-start",
        Running(SAGEMAKER),
        &[
            (
                &[
                    "sagemaker:CreateNotebookInstanceLifecycleConfig",
                    "sagemaker:UpdateNotebookInstanceLifecycleConfig",
                ],
                Somewhere,
            ),
            (&["sagemaker:StopNotebookInstance"], Somewhere),
            (&["sagemaker:UpdateNotebookInstance"], Somewhere),
            (&["sagemaker:StartNotebookInstance"], Somewhere),
        ],
        "has a notebook that runs as {} start with commands of its own",
    ),
    one(
        "submit-job",
        Running(TASKS),
        &[(&["batch:SubmitJob"], Somewhere)],
        "runs a job that runs as {}, with another command",
    ),
    one(
        "update-app-runner",
        Running(APP_RUNNER),
        &[(&["apprunner:UpdateService"], Somewhere)],
        "changes a service that runs as {}",
    ),
    one(
        "update-state-machine",
        Running(STATES),
        &[
            (&["states:UpdateStateMachine"], Somewhere),
            (&["states:StartExecution"], Somewhere),
        ],
        "changes steps that run as {}",
    ),
    one(
        "run-in-interpreter",
        Running(AGENTCORE),
        &[
            (
                &["bedrock-agentcore:StartCodeInterpreterSession"],
                Somewhere,
            ),
            (&["bedrock-agentcore:InvokeCodeInterpreter"], Somewhere),
        ],
        "runs code in an interpreter that runs as {}",
    ),
    one(
        "run-in-agent-runtime",
        Running(AGENTCORE),
        &[(&["bedrock-agentcore:InvokeAgentRuntimeCommand"], Somewhere)],
        "runs commands beside an agent that runs as {}",
    ),
    one(
        "drive-browser",
        Running(AGENTCORE),
        &[
            (&["bedrock-agentcore:StartBrowserSession"], Somewhere),
            (
                &["bedrock-agentcore:ConnectBrowserAutomationStream"],
                Somewhere,
            ),
        ],
        "drives a browser that runs as {}",
    ),
];
