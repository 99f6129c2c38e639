"""3x3 convolutions with fewer multiplications against torch's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import ffzoo
from ffzoo.algorithms.options import Execution
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError
from ffzoo.kernels import winograd
from ffzoo.kernels.winograd import WinogradMode


def drawn(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def passes(x: Tensor, weight: Tensor) -> list[Tensor]:
    """Output and both gradients."""
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    y = F.conv2d(x, weight, padding=1)
    return [y.detach(), *torch.autograd.grad(y, (x, weight), drawn(*y.shape, seed=2).to(y))]


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=st.integers(1, 5),
    channels=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    side=st.tuples(st.integers(1, 17), st.integers(1, 17)),
    layout=st.sampled_from([torch.channels_last, torch.contiguous_format]),
    at_once=st.sampled_from([1, 2**25]),
)
def test_output_and_gradients_are_those_of_a_direct_convolution(few_channels, samples, channels, side, layout, at_once):
    x = drawn(samples, channels[0], *side).contiguous(memory_format=layout)
    weight = drawn(channels[1], channels[0], 3, 3, seed=1)
    expected = passes(x, weight)
    with pytest.MonkeyPatch.context() as patch, WinogradMode():
        patch.setattr(winograd, "_BYTES", at_once)
        found = passes(x, weight)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("side", [3, 4, 15, 7])
def test_rounding_in_float32_is_that_promised(side):
    x, weight = drawn(8, 128, side, side), drawn(128, 128, 3, 3, seed=1)
    expected = passes(x, weight)
    with WinogradMode():
        found = passes(x.float(), weight.float())
    assert winograd.tile(side, side) == {3: 3, 4: 4, 15: 5, 7: 7}[side]
    errors = [relative(a.double(), b) for a, b in zip(found, expected, strict=True)]
    assert 0 < max(errors) < 2e-5


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what runs by fewer multiplications from here on."""
    seen: list[str] = []
    for name in ("_forward", "_weight_gradient"):
        plain = getattr(winograd, name)
        monkeypatch.setattr(winograd, name, lambda *a, plain=plain, name=name: (seen.append(name), plain(*a))[1])
    return seen


@pytest.mark.parametrize(
    ("options", "channels", "dtype"),
    [
        ({"padding": 0}, 128, torch.float32),
        ({"padding": 1, "stride": 2}, 128, torch.float32),
        ({"padding": 2, "dilation": 2}, 128, torch.float32),
        ({"padding": 1, "groups": 2}, 256, torch.float32),
        ({"padding": "same"}, 128, torch.float32),
        ({"padding": 1}, 128, torch.bfloat16),
    ],
)
def test_other_convolutions_stay_direct(options, channels, dtype, monkeypatch):
    seen = counted(monkeypatch)
    conv = nn.Conv2d(channels, channels, 3, dtype=dtype, **options)
    x = drawn(2, channels, 6, 6).to(dtype)
    expected = conv(x)
    with WinogradMode():
        assert torch.equal(conv(x), expected)
    assert not seen


@pytest.mark.parametrize(("inputs", "outputs", "gains"), [(63, 256, 0), (256, 63, 0), (64, 127, 0), (64, 128, 1)])
def test_channels_are_enough_on_both_sides(inputs, outputs, gains, monkeypatch):
    seen = counted(monkeypatch)
    with WinogradMode(), torch.no_grad():
        nn.Conv2d(inputs, outputs, 3, padding=1)(torch.zeros(1, inputs, 3, 3))
    assert len(seen) == gains


@pytest.mark.parametrize(("side", "gains"), [((1, 1), 0), ((2, 2), 0), ((1, 40), 0), ((3, 3), 1), ((2, 8), 1)])
def test_maps_are_large_enough(side, gains, monkeypatch):
    seen = counted(monkeypatch)
    with WinogradMode(), torch.no_grad():
        nn.Conv2d(64, 128, 3, padding=1)(torch.zeros(1, 64, *side))
    assert len(seen) == gains


def test_other_devices_convolve_directly(few_channels):
    for device, suits in (("cpu", True), ("meta", False)):
        x, weight = torch.zeros(1, 3, 6, 6, device=device), torch.zeros(5, 3, 3, 3, device=device)
        assert winograd.suits(x, weight, 1, 1, 1, 1) is suits


def test_autocast_decides_the_precision(few_channels, monkeypatch):
    seen = counted(monkeypatch)
    with WinogradMode(), torch.autocast("cpu", torch.bfloat16):
        assert nn.Conv2d(3, 5, 3, padding=1)(torch.zeros(1, 3, 6, 6)).dtype == torch.bfloat16
    assert not seen


def test_a_gradient_of_a_transposed_convolution_is_that_of_torch(few_channels):
    x, d, weight = drawn(2, 3, 6, 6), drawn(2, 3, 6, 6, seed=1), drawn(3, 3, 3, 3, seed=2)
    arguments = (d, x, weight, None, [1, 1], [1, 1], [1, 1], True, [0, 0], 1, [False, True, False])
    expected = torch.ops.aten.convolution_backward(*arguments)[1]
    with WinogradMode():
        assert torch.equal(torch.ops.aten.convolution_backward(*arguments)[1], expected)


def test_without_gradients_nothing_is_kept(few_channels, monkeypatch):
    plain, kept = winograd._forward, []
    monkeypatch.setattr(winograd, "_forward", lambda x, weight, reads=None: (kept.append(reads), plain(x, weight))[1])
    conv = nn.Conv2d(3, 5, 3, padding=1)
    with WinogradMode(), torch.no_grad():
        conv(torch.zeros(1, 3, 6, 6))
    assert kept == [None]


def test_a_bias_is_added(few_channels, monkeypatch):
    seen = counted(monkeypatch)
    conv, x = nn.Conv2d(3, 5, 3, padding=1, dtype=torch.float64), drawn(2, 3, 6, 6)
    expected = conv(x)
    with WinogradMode():
        torch.testing.assert_close(conv(x), expected, rtol=1e-10, atol=1e-10)
    assert seen == ["_forward"]


@pytest.mark.parametrize("algo", ["bp", "dgl", "dtg_ff"])
@pytest.mark.parametrize(
    ("backbone", "how"),
    [
        ("whitened_cnn", {}),
        ("cnn", {}),
        ("cnn", {"micro_batch": 4}),
        ("cnn", {"streaming": False, "closed_form": False}),
    ],
)
def test_a_step_learns_the_same(algo, backbone, how, few_channels, monkeypatch):
    """With autograd, and without it where the blocks of ``cnn`` learn in closed form."""
    seen = counted(monkeypatch)
    found = []
    for convolution in ("direct", "winograd"):
        algorithm = ffzoo.create(algo, backbone=backbone, input_shape=(3, 8, 8), num_classes=4).double()
        algorithm.run_as(Execution(convolution=convolution, **how))
        algorithm.train_step(Batch(drawn(6, 3, 8, 8), torch.arange(6) % 4))
        assert {*seen} == ({"_forward", "_weight_gradient"} if convolution == "winograd" else set())
        found.append([p.detach().clone() for p in algorithm.parameters()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)


def test_what_it_excludes_is_refused():
    with pytest.raises(OptionError, match="convolution=winograd needs precision=fp32"):
        Execution(precision="bf16", convolution="winograd")
    for name in ("compile", "checkpoint_blocks"):
        with pytest.raises(OptionError, match=f"convolution=winograd needs {name}=false"):
            Execution(convolution="winograd", **{name: True})
