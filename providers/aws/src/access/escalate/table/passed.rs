//! Ways through a role that is passed to a service, which then does as it is told.

use super::On::Somewhere;
use super::Target::Passed;
use super::{
    AGENTCORE, APP_RUNNER, CLOUDFORMATION, CODEBUILD, COGNITO, EC2, GLUE, LAMBDA, Method,
    SAGEMAKER, STATES, TASKS, one,
};

pub(super) const PASSED: &[Method] = &[
    one(
        "pass-role-ec2",
        Passed(EC2),
        &[(
            &[
                "ec2:RunInstances",
                "ec2:RequestSpotInstances",
                "ec2:RequestSpotFleet",
            ],
            Somewhere,
        )],
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
                    "ec2:CreateLaunchTemplateVersion",
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
        Passed(APP_RUNNER),
        &[(
            &["apprunner:CreateService", "apprunner:UpdateService"],
            Somewhere,
        )],
        "runs a service of its own as {}",
    ),
    one(
        "pass-role-step-functions",
        Passed(STATES),
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
        Passed(AGENTCORE),
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
    one(
        "pass-role-ec2-fleet",
        Passed(EC2),
        &[
            (
                &[
                    "ec2:CreateLaunchTemplate",
                    "ec2:CreateLaunchTemplateVersion",
                ],
                Somewhere,
            ),
            (&["ec2:CreateFleet", "ec2:ModifyFleet"], Somewhere),
        ],
        "starts a fleet that runs as {}",
    ),
    one(
        "pass-role-launch-template",
        Passed(EC2),
        &[
            (&["ec2:CreateLaunchTemplateVersion"], Somewhere),
            (&["ec2:ModifyLaunchTemplate"], Somewhere),
        ],
        "has instances start by its own template as {}",
    ),
    one(
        "pass-role-image-builder",
        Passed(EC2),
        &[
            (&["imagebuilder:CreateComponent"], Somewhere),
            (
                &[
                    "imagebuilder:CreateImageRecipe",
                    "imagebuilder:CreateContainerRecipe",
                ],
                Somewhere,
            ),
            (
                &[
                    "imagebuilder:CreateInfrastructureConfiguration",
                    "imagebuilder:UpdateInfrastructureConfiguration",
                ],
                Somewhere,
            ),
            (
                &[
                    "imagebuilder:CreateImage",
                    "imagebuilder:CreateImagePipeline",
                    "imagebuilder:StartImagePipelineExecution",
                ],
                Somewhere,
            ),
        ],
        "builds an image of its own on an instance that runs as {}",
    ),
    one(
        "pass-role-agentcore-runtime",
        Passed(AGENTCORE),
        &[
            (
                &[
                    "bedrock-agentcore:CreateAgentRuntime",
                    "bedrock-agentcore:UpdateAgentRuntime",
                ],
                Somewhere,
            ),
            (
                &[
                    "bedrock-agentcore:InvokeAgentRuntime",
                    "bedrock-agentcore:InvokeAgentRuntimeCommand",
                ],
                Somewhere,
            ),
        ],
        "runs an agent of its own as {}",
    ),
    one(
        "pass-role-agentcore-harness",
        Passed(AGENTCORE),
        &[
            (&["bedrock-agentcore:CreateHarness"], Somewhere),
            (&["bedrock-agentcore:InvokeAgentRuntimeCommand"], Somewhere),
        ],
        "runs commands in a harness of its own as {}",
    ),
    one(
        "pass-role-agentcore-browser",
        Passed(AGENTCORE),
        &[
            (&["bedrock-agentcore:CreateBrowser"], Somewhere),
            (&["bedrock-agentcore:StartBrowserSession"], Somewhere),
            (
                &["bedrock-agentcore:ConnectBrowserAutomationStream"],
                Somewhere,
            ),
        ],
        "drives a browser of its own that runs as {}",
    ),
    one(
        "pass-role-amplify",
        Passed("amplify.amazonaws.com"),
        &[
            (&["amplify:CreateApp", "amplify:UpdateApp"], Somewhere),
            (&["amplify:StartJob"], Somewhere),
        ],
        "builds an application of its own as {}",
    ),
    one(
        "pass-role-braket",
        Passed("braket.amazonaws.com"),
        &[(&["braket:CreateJob"], Somewhere)],
        "runs a job of its own as {}",
    ),
    one(
        "pass-role-emr-serverless",
        Passed("emr-serverless.amazonaws.com"),
        &[(&["emr-serverless:StartJobRun"], Somewhere)],
        "runs a job of its own as {}",
    ),
    one(
        "pass-role-gamelift",
        Passed("gamelift.amazonaws.com"),
        &[
            (
                &["gamelift:CreateBuild", "gamelift:CreateScript"],
                Somewhere,
            ),
            (&["gamelift:CreateFleet"], Somewhere),
        ],
        "starts a fleet of its own that runs as {}",
    ),
    one(
        "pass-role-kinesis-analytics",
        Passed("kinesisanalytics.amazonaws.com"),
        &[
            (&["kinesisanalytics:CreateApplication"], Somewhere),
            (&["kinesisanalytics:StartApplication"], Somewhere),
        ],
        "runs an application of its own as {}",
    ),
    one(
        "pass-role-omics",
        Passed("omics.amazonaws.com"),
        &[
            (&["omics:CreateWorkflow"], Somewhere),
            (&["omics:StartRun"], Somewhere),
        ],
        "runs a workflow of its own as {}",
    ),
    one(
        "pass-role-cognito",
        Passed(COGNITO),
        &[(&["cognito-identity:SetIdentityPoolRoles"], Somewhere)],
        "has a pool of identities give out {}",
    ),
];
