"""Why a record or a cell was not loaded: reason codes with what was expected and how to mend it.

Belongs here: the texts, once per reason, and the frame of quarantined things. Does not belong here: the
checks that find them (schemas) or refusals of whole files (raised where they are found).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingestion.contracts.messages import Message


@dataclass(frozen=True)
class Reason:
    expected: Message
    mend: Message


REASONS: dict[str, Reason] = {
    "not_a_number": Reason(
        Message("一个数值", "a number"),
        Message(
            "请填写数值; 没有数据请留空, 说明写在备注列",
            "write a number; leave the cell empty when there is none, put remarks elsewhere",
        ),
    ),
    "formula_without_value": Reason(
        Message("公式的计算结果", "the computed value of the formula"),
        Message(
            "请在表格软件中打开并保存一次, 使公式有计算结果",
            "open it in a spreadsheet program and save it once, so that the formula has a value",
        ),
    ),
    "number_too_large": Reason(
        Message("整数部分不超过 12 位的数值", "a number of at most 12 whole digits"),
        Message("请检查单位与小数点", "look at the unit and the decimal point"),
    ),
    "negative_amount": Reason(
        Message("不小于零的数量", "an amount that is not negative"),
        Message("冲减请用更正件, 不要填负数", "send a corrected return instead of a negative amount"),
    ),
    "unknown_unit": Reason(
        Message(
            "该项目可换算的单位 (见 unit_conversions.csv)",
            "a unit this item can be converted from (see unit_conversions.csv)",
        ),
        Message(
            "请改为标准单位; 确有新单位时在 unit_conversions.csv 加一行",
            "use a standard unit, or add a line to unit_conversions.csv",
        ),
    ),
    "unknown_item_code": Reason(
        Message("该表式的项目代码", "an item code of this form"),
        Message(
            "请核对表式版本; 新项目在 codes 种子表加一行",
            "check the form's edition; a new item is one row in the codes seed",
        ),
    ),
    "item_not_in_edition": Reason(
        Message("该表式这一版本中的项目代码", "an item code that this edition of the form has"),
        Message(
            "请核对报表代码的版本: 项目已在新版中删除或尚未增加",
            "check the edition in the report code: the item was removed, or is not there yet",
        ),
    ),
    "bad_report_code": Reason(
        Message("与首行相同的报表代码", "the report code of the first record"),
        Message("请每个表式、每个版本各导出一个文件", "export one file for each form and edition"),
    ),
    "bad_catalog_item_id": Reason(
        Message("机房代码, 或汇总栏 S001 至 S010", "the code of a room, or a class column S001 to S010"),
        Message("请补全目录项", "fill in the catalogue item"),
    ),
    "bad_year": Reason(
        Message("1990–2100 之间的年份", "a year between 1990 and 2100"),
        Message("请核对报告期", "check the reporting period"),
    ),
    "bad_period": Reason(
        Message(
            "报告期, 如 2021000 (年), 2021003 (3 月), 2021Q01 (一季度)",
            "a period such as 2021000 (year), 2021003 (March), 2021Q01 (first quarter)",
        ),
        Message("请核对报告期", "check the reporting period"),
    ),
    "not_in_register": Reason(
        Message(
            "名录库中的机构 (2025 版起以名录库为准)",
            "an institution of the register (which decides from the 2025 edition on)",
        ),
        Message(
            "请先在名录库登记该机构, 或更正其代码", "register the institution first, or correct its code"
        ),
    ),
    "institution_not_sure": Reason(
        Message("能确定对应名录库哪一家的机构", "an institution that is surely one of the register"),
        Message(
            "tancang queue 列出候选机构和要写入 matches.yml 的一行; 或补上统一社会信用代码",
            "tancang queue shows the candidates and the line for matches.yml; or give the line its code",
        ),
    ),
    "cell_without_header": Reason(
        Message("每个有内容的列都有表头", "a header above every cell"),
        Message(
            "请检查该行是否多了分隔符 (例如数值中的逗号)",
            "look for one separator too many in this row (a comma in a number?)",
        ),
    ),
    "missing_reading": Reason(
        Message("至少一个读数", "at least one reading"),
        Message(
            "缺数不等于零: 请补传该行的读数, 或删去该行",
            "missing is not zero: send the readings of this line again, or leave the line out",
        ),
    ),
    "text_where_field": Reason(
        Message("可识别的关键字段", "a key field that can be read"),
        Message("请补全或更正该字段", "fill in or correct the field"),
    ),
}


def reason_of(code: str) -> Reason:
    """Texts of a code; `missing_…` and `bad_…` of any field share one reason."""
    return REASONS.get(code, REASONS["text_where_field"])


QUARANTINE_COLUMNS: dict[str, pl.DataType] = {
    "file_id": pl.String(),
    "layout_id": pl.String(),
    "source": pl.String(),
    "path": pl.String(),
    "sheet": pl.String(),
    "row_number": pl.Int32(),
    "column_number": pl.Int32(),
    "cell": pl.String(),
    "unit": pl.String(),
    "reason_code": pl.String(),
    "found": pl.String(),
    "expected_zh": pl.String(),
    "expected_en": pl.String(),
    "mend_zh": pl.String(),
    "mend_en": pl.String(),
    "institution_id": pl.String(),
    "item_code": pl.String(),
    "period": pl.String(),
}
NOTE_COLUMNS: dict[str, pl.DataType] = {
    "file_id": pl.String(),
    "layout_id": pl.String(),
    "source": pl.String(),
    "path": pl.String(),
    "sheet": pl.String(),
    "row_number": pl.Int32(),
    "column_number": pl.Int32(),
    "cell": pl.String(),
    "note_code": pl.String(),
    "found": pl.String(),
    "text_zh": pl.String(),
    "text_en": pl.String(),
}


def with_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Add expected and mend texts to a frame that has `reason_code`."""
    codes = frame["reason_code"].unique().to_list()
    texts = pl.DataFrame(
        [
            (code, r.expected.zh, r.expected.en, r.mend.zh, r.mend.en)
            for code, r in ((code, reason_of(code)) for code in codes)
        ],
        schema=dict.fromkeys(("reason_code", "expected_zh", "expected_en", "mend_zh", "mend_en"), pl.String),
        orient="row",
    )
    return frame.join(texts, on="reason_code", how="left", maintain_order="left")
