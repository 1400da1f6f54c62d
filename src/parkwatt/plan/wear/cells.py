"""The cells whose ageing is known, and the range of the experiments behind each.

All equations are published fits as implemented by the reference, BLAST-Lite 1.1.1 (Alliance for
Energy Innovation / NREL); the sources are the papers. Equations stand in `nickel` and `iron`.
"""

from dataclasses import dataclass

from parkwatt.plan.wear import iron, nickel
from parkwatt.plan.wear.law import Equations


@dataclass(frozen=True)
class Cell:
    """One battery cell and its ageing equations.

    `temperature_c_min` to `temperature_c_max` and `depth_min` to `depth_max` span the cycling
    experiments; outside them a result is an extrapolation, and says so.
    """

    id: str
    name: str
    chemistry: str
    capacity_ah: float
    source: str
    limits: str
    temperature_c_min: float
    temperature_c_max: float
    depth_min: float
    depth_max: float
    reference_model: str
    equations: Equations


GASPER_2023 = "Gasper et al., J. Energy Storage 73 (2023) 109042, doi:10.1016/j.est.2023.109042"

CELLS: dict[str, Cell] = {
    cell.id: cell
    for cell in (
        Cell(
            id="nmc111-sanyo",
            name="Sanyo UR18650E",
            chemistry="NMC111 / graphite",
            capacity_ah=2.15,
            source="Schmalstieg et al., J. Power Sources 257 (2014) 325, "
            "doi:10.1016/j.jpowsour.2014.02.012",
            limits="Cycling was tested at 35 C and a rate of 1/h only.",
            temperature_c_min=20,
            temperature_c_max=40,
            depth_min=0,
            depth_max=1,
            reference_model="Nmc111_Gr_Sanyo2Ah_Battery",
            equations=nickel.SanyoNmc111(),
        ),
        Cell(
            id="nmc622-denso",
            name="DENSO 50 Ah",
            chemistry="NMC622 / graphite",
            capacity_ah=50,
            source="Smith et al., J. Electrochem. Soc. 168 (2021) 100530, "
            "doi:10.1149/1945-7111/ac2ebd",
            limits="Cycling was always around half charge.",
            temperature_c_min=10,
            temperature_c_max=60,
            depth_min=0.1,
            depth_max=1,
            reference_model="Nmc622_Gr_DENSO50Ah_Battery",
            equations=nickel.DensoNmc622(),
        ),
        Cell(
            id="nmc811-lg-m50",
            name="LG M50",
            chemistry="NMC811 / graphite-silicon",
            capacity_ah=5,
            source="Bui et al., IEEE VPPC 2021, ieeexplore 9617644; O'Regan et al., "
            "Electrochim. Acta 425 (2022) 140700",
            limits="All cycles were full: depth has no influence. Charging rate was not varied.",
            temperature_c_min=0,
            temperature_c_max=25,
            depth_min=1,
            depth_max=1,
            reference_model="Nmc811_GrSi_LGM50_5Ah_Battery",
            equations=nickel.LgM50Nmc811(),
        ),
        Cell(
            id="nmc811-lg-mj1",
            name="LG MJ1",
            chemistry="NMC811 / graphite-silicon",
            capacity_ah=3.5,
            source="EU project EVERLASTING, report D2.3 (2020)",
            limits="All cycles had a depth of 0.8; the influence of depth is assumed linear.",
            temperature_c_min=0,
            temperature_c_max=50,
            depth_min=0.2,
            depth_max=0.8,
            reference_model="Nmc811_GrSi_LGMJ1_4Ah_Battery",
            equations=nickel.LgMj1Nmc811(),
        ),
        Cell(
            id="nca-panasonic",
            name="Panasonic 18650B",
            chemistry="NCA / graphite",
            capacity_ah=3.2,
            source="Keil et al., J. Electrochem. Soc. 163 (2016) A1872, doi:10.1149/2.0411609jes; "
            "Preger et al. (2020), doi:10.1149/1945-7111/abae37",
            limits="Calendar tests lasted 300 days. Faster fade at deep cycles is left out.",
            temperature_c_min=15,
            temperature_c_max=35,
            depth_min=0.8,
            depth_max=1,
            reference_model="Nca_Gr_Panasonic3Ah_Battery",
            equations=nickel.PanasonicNca(),
        ),
        Cell(
            id="nmc-a",
            name="pouch NMC-Gr A, 75 Ah",
            chemistry="NMC / graphite",
            capacity_ah=75,
            source=GASPER_2023,
            limits="Charging was as gentle as the maker advises.",
            temperature_c_min=10,
            temperature_c_max=45,
            depth_min=0.8,
            depth_max=1,
            reference_model="NMC_Gr_75Ah_A",
            equations=nickel.PouchNmcA(),
        ),
        Cell(
            id="nmc-b1",
            name="pouch NMC-Gr B1, 50 Ah",
            chemistry="NMC / graphite",
            capacity_ah=50,
            source=GASPER_2023,
            limits="Charging was as gentle as the maker advises (0.3/h at 10 C).",
            temperature_c_min=10,
            temperature_c_max=45,
            depth_min=0.8,
            depth_max=1,
            reference_model="NMC_Gr_50Ah_B1",
            equations=nickel.PouchNmcB1(),
        ),
        Cell(
            id="nmc-b2",
            name="pouch NMC-Gr B2, 50 Ah",
            chemistry="NMC / graphite",
            capacity_ah=50,
            source=GASPER_2023,
            limits="Charging was as gentle as the maker advises (0.3/h at 10 C).",
            temperature_c_min=10,
            temperature_c_max=45,
            depth_min=0.8,
            depth_max=1,
            reference_model="NMC_Gr_50Ah_B2",
            equations=nickel.PouchNmcB2(),
        ),
        Cell(
            id="lmo-leaf",
            name="Nissan Leaf modules, second life",
            chemistry="LMO / graphite",
            capacity_ah=66,
            source="Braco et al., J. Energy Storage 32 (2020), doi:10.1016/j.est.2020.101695",
            limits="Capacity counts from the second life's start. One cycling test only.",
            temperature_c_min=20,
            temperature_c_max=30,
            depth_min=0.8,
            depth_max=1,
            reference_model="Lmo_Gr_NissanLeaf66Ah_2ndLife_Battery",
            equations=nickel.LeafLmo(),
        ),
        Cell(
            id="lfp-prismatic",
            name="prismatic LFP, 250 Ah",
            chemistry="LFP / graphite",
            capacity_ah=250,
            source=GASPER_2023,
            limits="Charging was as gentle as the maker advises (0.16/h at 10 C).",
            temperature_c_min=10,
            temperature_c_max=45,
            depth_min=0.8,
            depth_max=1,
            reference_model="Lfp_Gr_250AhPrismatic",
            equations=iron.PrismaticLfp(),
        ),
        Cell(
            id="lfp-sony-murata",
            name="Sony-Murata 3 Ah",
            chemistry="LFP / graphite",
            capacity_ah=3,
            source="Naumann et al., doi:10.1016/j.est.2018.01.019 and "
            "doi:10.1016/j.jpowsour.2019.227666; fit: Gasper et al. (2022), "
            "doi:10.1149/1945-7111/ac86a8",
            limits="Cycling was tested at 25 and 40 C; temperature has no influence on it.",
            temperature_c_min=20,
            temperature_c_max=40,
            depth_min=0.8,
            depth_max=1,
            reference_model="Lfp_Gr_SonyMurata3Ah_Battery",
            equations=iron.SonyMurataLfp(),
        ),
    )
}
