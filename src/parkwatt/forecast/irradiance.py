"""Solar power from irradiance: a weather service's forecast, or a typical year, turned into kW by pvlib (an extra).

The sky is turned onto the panel (Hay and Davies, isotropic ground with the given albedo), the cells' temperature
follows from irradiance and wind (PVsyst's model, U₀ = 25, U₁ = 1.2 W/m²K for panels on a rack), and the direct-current
power is that of PVWatts version 5 (NREL/TP-6A20-62641): P = kWp · G/1000 · (1 + γ·(T − 25 °C)), less the losses,
through an inverter of PVWatts' part-load efficiency.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Final

import numpy as np

from parkwatt.domain.errors import InputError, InputFault, ParkwattError
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid

_WIND_M_S: Final = 1.0  # where none is given; little wind is the cautious side


class MissingExtraError(ParkwattError):
    """An optional package is needed; ``package`` and the ``extra`` of parkwatt that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{purpose} needs {package}: pip install 'parkwatt[{extra}]'")


@dataclass(frozen=True, slots=True)
class SolarPlant:
    """Panels of one orientation in one place.

    ``latitude_deg`` north and ``longitude_deg`` east positive; ``tilt_deg``: 0 lies flat, 90 stands; ``azimuth_deg``:
    clockwise from north, 180 looks south; ``inverter_kw_max``: None = as large as ``peak_kw``; ``loss_share``: soiling,
    mismatch, wiring, ageing (PVWatts' standard is 0.14); ``temperature_coefficient_per_c``: γ.
    Raises InputError with all faults where a value is out of its range.
    """

    latitude_deg: float
    longitude_deg: float
    tilt_deg: float
    azimuth_deg: float
    peak_kw: float
    inverter_kw_max: float | None = None
    loss_share: float = 0.14
    temperature_coefficient_per_c: float = -0.0035
    albedo: float = 0.2

    def __post_init__(self) -> None:
        ranges = {
            "latitude_deg": (-90.0, 90.0),
            "longitude_deg": (-180.0, 180.0),
            "tilt_deg": (0.0, 90.0),
            "azimuth_deg": (0.0, 360.0),
            "peak_kw": (0.0, np.inf),
            "loss_share": (0.0, 1.0),
            "temperature_coefficient_per_c": (-0.02, 0.0),
            "albedo": (0.0, 1.0),
        }
        values = [(name, float(getattr(self, name)), *limits) for name, limits in ranges.items()]
        if self.inverter_kw_max is not None:
            values.append(("inverter_kw_max", self.inverter_kw_max, 0.0, np.inf))
        faults = [
            InputFault(name, f"must be finite and between {low:g} and {high:g}", value)
            for name, value, low, high in values
            if not (np.isfinite(value) and low <= value <= high)
        ]
        if faults:
            raise InputError(faults)


def solar_power_from_irradiance(
    grid: TimeGrid,
    plant: SolarPlant,
    global_horizontal_w_m2: FloatArray,
    direct_normal_w_m2: FloatArray,
    diffuse_horizontal_w_m2: FloatArray,
    temperature_c: FloatArray | float = 20.0,
    wind_speed_m_s: FloatArray | float = _WIND_M_S,
) -> FloatArray:
    """[T] the plant's mean AC power in each step of ``grid``, kW ≥ 0; NaN where an input is NaN.

    Irradiances, air temperature and wind speed are means over each step, [T] or one number. The sun stands where it is
    at the middle of the step.
    Raises MissingExtraError without pvlib, ValueError for a wrong length.
    """
    inputs = [
        _series(grid, name, value)
        for name, value in (
            ("global_horizontal_w_m2", global_horizontal_w_m2),
            ("direct_normal_w_m2", direct_normal_w_m2),
            ("diffuse_horizontal_w_m2", diffuse_horizontal_w_m2),
            ("temperature_c", temperature_c),
            ("wind_speed_m_s", wind_speed_m_s),
        )
    ]
    ghi, dni, dhi, air_c, wind = inputs
    pvlib = _pvlib()
    middle = grid.starts_unix_s() + grid.step_s // 2
    zenith, azimuth, extra = _sun(pvlib, plant, middle)
    # Near the horizon the ratio of beam on panel to beam on ground runs away, so pvlib bounds it by min_cos_zenith.
    sky = pvlib.irradiance.get_total_irradiance(
        plant.tilt_deg,
        plant.azimuth_deg,
        zenith,
        azimuth,
        dni,
        ghi,
        dhi,
        dni_extra=extra,
        albedo=plant.albedo,
        model="haydavies",
    )
    panel_w_m2 = np.maximum(np.asarray(sky["poa_global"], dtype=np.float64), 0.0)
    cell_c = pvlib.temperature.pvsyst_cell(panel_w_m2, air_c, wind, u_c=25.0, u_v=1.2)
    dc_kw = pvlib.pvsystem.pvwatts_dc(
        panel_w_m2, cell_c, plant.peak_kw, plant.temperature_coefficient_per_c
    )
    dc_kw = np.maximum(np.asarray(dc_kw), 0.0) * (1.0 - plant.loss_share)
    power_kw = _through_inverter(pvlib, plant, dc_kw)
    power_kw[np.isnan(np.vstack(inputs)).any(axis=0)] = np.nan
    return power_kw


def _sun(
    pvlib: ModuleType, plant: SolarPlant, times_unix_s: TimeArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """([T] apparent zenith, [T] azimuth, degrees, [T] irradiance outside the atmosphere, W/m²)."""
    times = import_module("pandas").to_datetime(times_unix_s, unit="s", utc=True)
    position = pvlib.solarposition.get_solarposition(times, plant.latitude_deg, plant.longitude_deg)
    extra = pvlib.irradiance.get_extra_radiation(times.day_of_year.to_numpy())
    return (
        position["apparent_zenith"].to_numpy(dtype=np.float64),
        position["azimuth"].to_numpy(dtype=np.float64),
        np.asarray(extra, dtype=np.float64),
    )


def _through_inverter(pvlib: ModuleType, plant: SolarPlant, dc_kw: FloatArray) -> FloatArray:
    efficiency = 0.96
    rated_kw = plant.peak_kw if plant.inverter_kw_max is None else plant.inverter_kw_max
    if rated_kw == 0.0:
        return np.zeros(len(dc_kw))
    power = pvlib.inverter.pvwatts(dc_kw, rated_kw / efficiency, eta_inv_nom=efficiency)
    return np.maximum(np.asarray(power, dtype=np.float64), 0.0)


def _series(grid: TimeGrid, name: str, value: FloatArray | float) -> FloatArray:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return np.full(grid.step_count, float(array))
    if array.shape != (grid.step_count,):
        raise ValueError(f"{name} must have {grid.step_count} values, got {array.shape}")
    return array


def _pvlib() -> ModuleType:
    try:
        return import_module("pvlib")
    except ModuleNotFoundError as error:
        raise MissingExtraError("pvlib", "solar", "solar power from irradiance") from error
