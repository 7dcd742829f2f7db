"""What a training program is told: arguments and SM_* variables.

The names are those of the SageMaker Training Toolkit
(github.com/aws/sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md).
"""

import json
import logging
import os

BASE = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
PREFIX = "sagemaker_"

# Settings of the platform among the hyperparameters. Others with the prefix are
# the framework's.
PLATFORM = {
    "sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics", "sagemaker_region",
    "sagemaker_container_log_level", "sagemaker_job_name", "sagemaker_s3_output", "default_user_module_name",
    "_tuning_objective_metric",
}


def path(*parts):
    """A path below /opt/ml."""
    return os.path.join(BASE, *parts)


def configuration(name):
    """The content of a configuration file, or nothing where there is none."""
    try:
        with open(path("input", "config", name), encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def decoded(text):
    """A hyperparameter's value: JSON, or else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def cpus():
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Training:
    """A training job, as its configuration files describe it."""

    def __init__(self):
        every = {name: decoded(text) for name, text in configuration("hyperparameters.json").items()}
        self.settings = {k: v for k, v in every.items() if k in PLATFORM or k.startswith(PREFIX)}
        self.hyperparameters = {k: v for k, v in every.items() if k not in self.settings}
        self.channels = configuration("inputdataconfig.json")
        self.resources = configuration("resourceconfig.json")
        self.program = os.environ.get("SAGEMAKER_PROGRAM") or self.settings.get("sagemaker_program") or ""
        self.log_level = self.settings.get("sagemaker_container_log_level", logging.INFO)

    def arguments(self):
        """Hyperparameters as arguments: --name value, -n value, sorted."""
        found = []
        for name, value in sorted(self.hyperparameters.items()):
            if isinstance(value, dict):
                value = ",".join("%s=%s" % item for item in sorted(value.items()))
            found += ["--" + name if len(name) > 1 else "-" + name, "" if value is None else str(value)]
        return found

    def variables(self):
        """The SM_* variables, as text."""
        facts = self.facts()
        inputs = {c: path("input", "data", c) for c in self.channels}
        facts["training_env"] = dict(
            {k: v for k, v in facts.items() if k not in ("hps", "framework_params", "channels", "user_args")},
            hyperparameters=self.hyperparameters, additional_framework_parameters=facts["framework_params"], channel_input_dirs=inputs)
        for channel, folder in inputs.items():
            facts["channel_" + channel] = folder
        for name, value in self.hyperparameters.items():
            facts["hp_" + name] = value
        return {"SM_" + name.upper(): as_text(value) for name, value in facts.items()}

    def facts(self):
        host, hosts = self.resources.get("current_host", "algo-1"), self.resources.get("hosts", ["algo-1"])
        group = self.resources.get("current_group_name", "homogeneousCluster")
        groups = {g["instance_group_name"]: g for g in self.resources.get("instance_groups", [])}
        return {
            "hosts": hosts, "current_host": host, "num_cpus": cpus(), "num_gpus": 0, "num_neurons": 0,
            "network_interface_name": self.resources.get("network_interface_name", "eth0"),
            "current_instance_type": self.resources.get("current_instance_type", "local"),
            "current_instance_group": group,
            "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
            "instance_groups": list(groups), "instance_groups_dict": groups, "distribution_instance_groups": [],
            "is_hetero": len(groups) > 1, "master_hostname": hosts[0], "is_master": host == hosts[0],
            "job_name": os.environ.get("TRAINING_JOB_NAME", ""),
            "hps": self.hyperparameters, "user_entry_point": self.program,
            "framework_params": {k: v for k, v in self.settings.items() if k not in PLATFORM},
            "resource_config": self.resources, "input_data_config": self.channels,
            "channels": sorted(self.channels), "module_name": self.program.removesuffix(".py"),
            "module_dir": self.settings.get("sagemaker_submit_directory", path("code")),
            "log_level": self.log_level, "framework_module": os.environ.get("SAGEMAKER_TRAINING_MODULE"),
            "input_dir": path("input"), "input_config_dir": path("input", "config"), "output_dir": path("output"),
            "model_dir": path("model"), "output_intermediate_dir": path("output", "intermediate"),
            "output_data_dir": path("output", "data") if len(hosts) == 1 else path("output", "data", host),
            "user_args": self.arguments(),
        }


def as_text(value):
    """A variable's value: text as it is, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
