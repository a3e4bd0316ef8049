"""A measured powder pattern, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeasuredPattern:
    """Counts over 2theta.

    Attributes:
        name: where it came from, for messages.
        two_theta_deg: strictly rising 2theta (n,), degrees; steps may vary. Of a pattern over d or
            Q without a wavelength, at ``nominal_wavelength_A``.
        intensity: counts or counts per second (n,).
        error: standard uncertainty of each intensity (n,), or None: Poisson then.
        wavelength_A: wavelength of the strongest line (K-alpha1 for a tube), None if not stated.
        second_wavelength_A: K-alpha2 where the radiation is a doublet that was not removed.
        second_ratio: intensity of the second line over the first; 0 where the first is said to be
            alone.
        radiation: "X-ray" or "neutron" where the file says so.
        notes: what was corrected or left out on reading.
        nominal_wavelength_A: of a pattern over d or Q, where no wavelength is known: the one that
            its 2theta was calculated with, which is not that of the measurement.
    """

    name: str
    two_theta_deg: np.ndarray
    intensity: np.ndarray
    error: np.ndarray | None = None
    wavelength_A: float | None = None
    second_wavelength_A: float | None = None
    second_ratio: float = 0.5
    radiation: str | None = None
    notes: tuple[str, ...] = ()
    nominal_wavelength_A: float | None = None

    @property
    def scale_A(self) -> float | None:
        """The wavelength in A that turns its 2theta into d, true or nominal; None if unknown."""
        return self.wavelength_A or self.nominal_wavelength_A

    def __len__(self) -> int:
        return len(self.two_theta_deg)

    def __repr__(self) -> str:
        ends = ""
        if len(self):
            ends = f", 2theta {self.two_theta_deg[0]:g} to {self.two_theta_deg[-1]:g} degrees"
        known = f", wavelength {self.wavelength_A:g} A" if self.wavelength_A else ""
        if self.nominal_wavelength_A:
            known = f", calculated for {self.nominal_wavelength_A:g} A"
        return f"MeasuredPattern({self.name!r}, {len(self)} points{ends}{known})"
