"""What weighs the features: the heads of the model and the letters of words."""
