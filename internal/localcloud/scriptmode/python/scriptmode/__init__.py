"""Script mode: what SageMaker's framework containers do with a user's script.

A training job runs the user's program with the job's hyperparameters as
arguments and the SM_* variables that programs read. A server answers for the
functions model_fn, input_fn, predict_fn and output_fn, or transform_fn, of the
user's module. Names and defaults are those of SageMaker's training and
inference toolkits; the code is not. The local cloud has put the user's source
into /opt/ml/code and its requirements into the environment that runs this.

Standard library only; numpy and xgboost are used where the environment has them.
"""
