"""The region profile: one YAML that says who publishes, on which basis, with which named figures.

Belongs here: the model and its validation. Figures themselves are seeds; a profile only names rows of them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.contracts.precedence import Precedence


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Region(_Strict):
    """One region of the profile's tree; `is_in_scope` regions are published, parents only lend factors."""

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str | None = None
    is_in_scope: bool = True


class GroupMember(_Strict):
    """A region of a group, for the days that it belongs to it. It may lie outside this home: then the group is partial."""

    region: str
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field(min_length=1)


class RegionGroup(_Strict):
    """A named group of regions, published beside the administrative tree and never a part of any region's sum."""

    code: str
    name_zh: str
    name_en: str
    members: tuple[GroupMember, ...] = Field(min_length=1)


class StandIn(_Strict):
    """A factor row named for one year in place of the ladder of definition 13; it is published as such."""

    year: int
    purpose: Literal["electricity", "electricity_market"]
    factor_id: str


class NamedUncertainty(_Strict):
    """A 95 % interval in percent, named in place of a shipped default or for one factor row."""

    uncertainty_id: str | None = None
    factor_id: str | None = None
    minus_pct: Decimal = Field(ge=0, le=100, decimal_places=8)
    plus_pct: Decimal = Field(ge=0, le=10000, decimal_places=8)
    distribution: Literal["normal", "lognormal"] = "normal"
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _names_one_thing(self) -> NamedUncertainty:
        if (self.uncertainty_id is None) == (self.factor_id is None):
            raise ValueError(
                "name either uncertainty_id or factor_id / uncertainty_id 与 factor_id 须且只须写一个"
            )
        return self


class Window(_Strict):
    """When a source's returns of a year are due, and when the silence window on them closes."""

    source: str
    year: int
    due_on: date
    closes_on: date


class SilenceWindow(_Strict):
    """How many days after the end of a month its values of a source may still come in as a matter of course."""

    source: Literal["direct_report", "metering"]
    days: int = Field(ge=0, le=366)


class PublishedFigure(_Strict):
    """A figure that the region's own report prints, shown beside ours (never used in a calculation)."""

    indicator: str
    year: int
    value: Decimal
    unit: str
    source: str
    coal_basis: Literal["primary", "equivalent"] | None = None
    """The basis that the report says it rests on; None where it says nothing."""

    def basis_of_ours(self, headline: str) -> str:
        """The basis of the figure that it is shown beside: the one in its name, else that of the headline."""
        return next(
            (basis for basis in ("primary", "equivalent") if basis in self.indicator.split("_")), headline
        )


class Method(_Strict):
    """Which method, sets and rows the accounting uses; every name is one of the factor registry."""

    accounting_method: str = "JST303-2026"
    coal_basis: Literal["primary", "equivalent"] = "primary"
    coal_set: str = "GB/T 2589-2020"
    electricity_primary_series: str = "SC-EL-SUPPLY"
    electricity_equivalent_factor: str = "SC-EL-EQUIV"
    gas_coal_factor: str = "SC-NG"
    fuel_set: str = "JS/T 303-2026"
    heat_factor: str = "HT-CN-0.11"
    electricity_family: str = "avg"
    gwp_edition: str = "AR5"
    market_electricity_family: str = "exmk"
    inventory_sets: tuple[str, ...] = Field(
        default=("provincial-guide-2025", "provincial-guide-2011", "IPCC-2006"), min_length=1
    )
    base_year: int = 2020
    unfactored_energy_fail_share: Decimal = Decimal("0.05")
    annual_month_tolerance_share: Decimal = Decimal("0.005")
    register_decides_from_edition: str = "2025"
    simulation_draws: int = Field(default=20_000, ge=1_000, le=1_000_000)
    simulation_seed: int = Field(default=2006, ge=0, le=2**63 - 1)


class RegionProfile(_Strict):
    """One publishing authority: its root region, everything below, its method and its calendar."""

    id: str
    region: str
    regions: list[Region]
    groups: list[RegionGroup] = Field(default_factory=list)
    method: Method = Method()
    stand_ins: list[StandIn] = Field(default_factory=list)
    uncertainties: list[NamedUncertainty] = Field(default_factory=list)
    windows: list[Window] = Field(default_factory=list)
    silence_windows: list[SilenceWindow] = Field(default_factory=list)
    precedence: list[Precedence] = Field(default_factory=list)
    published_figures: list[PublishedFigure] = Field(default_factory=list)

    @model_validator(mode="after")
    def _regions_hang_together(self) -> RegionProfile:
        codes = [region.code for region in self.regions]
        if len(codes) != len(set(codes)):
            raise ValueError("a region code stands twice / 行政区划代码重复")
        if self.region not in codes:
            raise ValueError(f"the root region {self.region} is not among the regions / 根区划不在列表中")
        parents = {region.code: region.parent for region in self.regions}
        for code in codes:
            seen, at = set(), code
            while at is not None:
                if at in seen:
                    raise ValueError(f"region {code} is its own ancestor / 区划上级成环")
                if at not in parents:
                    raise ValueError(f"region {code} has an unknown parent {at} / 上级区划不存在")
                seen.add(at)
                at = parents[at]  # type: ignore[assignment]
        return self

    @model_validator(mode="after")
    def _groups_count_nothing_twice(self) -> RegionProfile:
        codes = [region.code for region in self.regions] + [group.code for group in self.groups]
        if len(codes) != len(set(codes)):
            raise ValueError(
                "a group has the code of a region or of another group / 区域组的代码与区划或其他组重复"
            )
        if any(region.level == "group" for region in self.regions):
            raise ValueError("level group is that of groups / 级别 group 只用于区域组")
        for group in self.groups:
            members = [member.region for member in group.members]
            for member in members:
                if members.count(member) > 1 or self._above(member) & set(members):
                    raise ValueError(
                        f"group {group.code}: {member} is a member twice, by itself or inside another / 组成员重复或相互包含"
                    )
        return self

    def _above(self, code: str) -> set[str]:
        """Every region above this one."""
        parents = {region.code: region.parent for region in self.regions}
        found: set[str] = set()
        while (above := parents.get(code)) is not None:
            found.add(above)
            code = above
        return found

    @model_validator(mode="after")
    def _uncertainties_are_named_once(self) -> RegionProfile:
        names = [item.uncertainty_id or item.factor_id for item in self.uncertainties]
        if len(names) != len(set(names)):
            raise ValueError("an uncertainty is named twice / 同一不确定性写了两次")
        return self

    @model_validator(mode="after")
    def _one_precedence_for_one_thing(self) -> RegionProfile:
        codes = {region.code for region in self.regions}
        seen: set[tuple[str, str]] = set()
        for rule in self.precedence:
            region = rule.region or self.region
            if region not in codes:
                raise ValueError(f"precedence {rule.id}: unknown region {region} / 区划不在列表中")
            for key in ((region, carrier) for carrier in rule.carriers):
                if key in seen:
                    raise ValueError(f"precedence of {key[1]} in {key[0]} is declared twice / 取值次序重复")
                seen.add(key)
        for names in ([rule.id for rule in self.precedence], [item.source for item in self.silence_windows]):
            if len(names) != len(set(names)):
                raise ValueError("a precedence or a silence window stands twice / 取值次序或静默期重复")
        return self

    @model_validator(mode="after")
    def _nothing_is_held_against_another_basis(self) -> RegionProfile:
        for figure in self.published_figures:
            ours = figure.basis_of_ours(self.method.coal_basis)
            if figure.coal_basis not in (None, ours):
                raise ValueError(
                    f"{figure.indicator} {figure.year} is printed on basis {figure.coal_basis} and would be compared with "
                    f"{ours}; name the indicator of its basis / 折标准煤口径不同, 不得比较"
                )
        return self

    @property
    def root(self) -> Region:
        return next(region for region in self.regions if region.code == self.region)
