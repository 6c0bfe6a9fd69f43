"""The names of the engines, apart from what they import: the command line shows them at once."""

from typing import Literal

EngineName = Literal["torch", "onnx", "openvino"]

Choice = Literal["auto", "torch", "onnx", "openvino"]
"""What a user can ask for; "auto" is the fastest that is installed."""
