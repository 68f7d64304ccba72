"""Every sentence of a before/after report, in English and Simplified Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...errors import InputError

__all__ = ["LANGUAGES", "TEXTS", "Words", "words_in"]

LANGUAGES = ("en", "zh")
Words = Callable[..., str]

TEXTS: dict[str, tuple[str, str]] = {
    "measure.delay": ("delay", "延误"),
    "measure.speed": ("speed", "速度"),
    "measure.travel_time": ("travel time", "行程时间"),
    "measure.stops": ("stops", "停车次数"),
    "measure.travel_time_index": ("travel time index", "行程时间指数"),
    "measure.buffer_index": ("buffer index", "缓冲指数"),
    "measure.control_delay": ("control delay", "信号控制延误"),
    "measure.arrivals_on_green": ("arrivals on green", "绿灯到达率"),
    "measure.split_failures": ("split failures", "绿信比不足率"),
    "measure.ped_delay": ("pedestrian delay", "行人延误"),
    "measure.fuel": ("fuel", "油耗"),
    "measure.co2": ("CO₂", "二氧化碳"),
    "unit.delay": ("s per vehicle", "秒/车"),
    "unit.speed": ("km/h", "公里/小时"),
    "unit.travel_time": ("s per vehicle", "秒/车"),
    "unit.stops": ("per vehicle", "次/车"),
    "unit.travel_time_index": ("times free flow", "倍自由流时间"),
    "unit.buffer_index": ("%", "%"),
    "unit.control_delay": ("s per vehicle", "秒/车"),
    "unit.arrivals_on_green": ("%", "%"),
    "unit.split_failures": ("% of cycles", "% 的周期"),
    "unit.ped_delay": ("s per call", "秒/次请求"),
    "unit.fuel": ("l per 100 km", "升/百公里"),
    "unit.co2": ("g per km", "克/公里"),
    "period.total": ("total", "全天"),
    "period.am": ("AM", "早高峰"),
    "period.md": ("midday", "平峰"),
    "period.pm": ("PM", "晚高峰"),
    "side.before": ("before", "实施前"),
    "side.after": ("after", "实施后"),
    "verdict.better": ("better", "改善"),
    "verdict.worse": ("worse", "变差"),
    "verdict.unclear": ("not clear", "不明确"),
    "verdict.unclaimed": ("no gain claimed", "不宣称改善"),
    "title": ("Before and after: {name}", "前后对比评估：{name}"),
    "title.runs": ("{scenario}: {before} and {after}", "{scenario}：{before} 与 {after}"),
    "title.days": ("{days} days", "{days} 天"),
    "subtitle.seed": (
        "Before: {before}. After: {after}. {n} pairs of simulated runs with the same traffic, {begin} to {end}.",
        "实施前：{before}。实施后：{after}。共 {n} 对交通需求相同的仿真，时段 {begin} 至 {end}。",
    ),
    "subtitle.day": (
        "Before: {n} days, {b0} to {b1}. After: {m} days, {a0} to {a1}. Times of {zone}.",
        "实施前：{n} 天，{b0} 至 {b1}。实施后：{m} 天，{a0} 至 {a1}。时区 {zone}。",
    ),
    "interval": ("{confidence} % interval {low} to {high}", "{confidence}% 置信区间 {low} 至 {high}"),
    "lead.saved.day": (
        "Drivers save {value} hours per day ({interval}).",
        "驾驶人每天共节省 {value} 小时（{interval}）。",
    ),
    "lead.saved.weekday": (
        "Drivers save {value} hours per weekday ({interval}).",
        "驾驶人每个工作日共节省 {value} 小时（{interval}）。",
    ),
    "lead.saved.seed": (
        "Drivers save {value} hours in {hours} of simulated traffic ({interval}).",
        "在 {hours} 的仿真交通中，驾驶人共节省 {value} 小时（{interval}）。",
    ),
    "lead.lost.day": (
        "Drivers lose {value} more hours per day ({interval}).",
        "驾驶人每天共多损失 {value} 小时（{interval}）。",
    ),
    "lead.lost.weekday": (
        "Drivers lose {value} more hours per weekday ({interval}).",
        "驾驶人每个工作日共多损失 {value} 小时（{interval}）。",
    ),
    "lead.lost.seed": (
        "Drivers lose {value} more hours in {hours} of simulated traffic ({interval}).",
        "在 {hours} 的仿真交通中，驾驶人共多损失 {value} 小时（{interval}）。",
    ),
    "lead.unclear": (
        "{measure}: whether it changed is not clear. The change is {value} ({interval}), and the interval holds zero.",
        "{measure}是否变化尚不明确：变化为 {value}（{interval}），区间包含零。",
    ),
    "lead.unclaimed": (
        "{measure} changed by {value} ({interval}), and no gain is claimed: less traffic came through, or traffic was not counted.",
        "{measure}变化为 {value}（{interval}），但不宣称改善：通过的车辆减少，或未统计流量。",
    ),
    "hours": ("{value} h", "{value} 小时"),
    "big.saved.day": ("hours saved per day", "每天节省的小时数"),
    "big.saved.weekday": ("hours saved per weekday", "每个工作日节省的小时数"),
    "big.saved.seed": ("hours saved in {hours}", "{hours} 内节省的小时数"),
    "sentence.fell": (
        "{measure} fell from {before} to {after} {unit}: {change}.",
        "{measure}由 {before} 降至 {after} {unit}：{change}。",
    ),
    "sentence.rose": (
        "{measure} rose from {before} to {after} {unit}: {change}.",
        "{measure}由 {before} 升至 {after} {unit}：{change}。",
    ),
    "sentence.unclear": (
        "{measure} shows no clear change, {before} before and {after} {unit} after: {change}.",
        "{measure}无明显变化，实施前 {before}，实施后 {after} {unit}：{change}。",
    ),
    "sentence.unclaimed": (
        "{measure} moved from {before} to {after} {unit}, which is not called a gain: {change}.",
        "{measure}由 {before} 变为 {after} {unit}，不视为改善：{change}。",
    ),
    "sentence.volume": (
        "Traffic changed by {value} ({interval}).",
        "交通量变化 {value}（{interval}）。",
    ),
    "sentence.corridors": (
        "Of {all} corridors or approaches, {better} are better and {worse} worse, after allowing for how many were "
        "looked at; of the others no change is claimed.",
        "在 {all} 条走廊或进口道中，经多重检验校正后 {better} 条改善、{worse} 条变差，其余不作结论。",
    ),
    "sentence.control": (
        "Against the control corridor {name}, which was not changed, {measure} changed by {value} ({interval}).",
        "相对于未实施改动的对照走廊 {name}，{measure}变化 {value}（{interval}）。",
    ),
    "sentence.series": (
        "As a series of days, the level changed by {level} {unit} ({level_interval}) on the day of the change, and the "
        "trend by {trend} {unit} per day ({trend_interval}).",
        "按逐日序列分析，实施当日水平变化 {level} {unit}（{level_interval}），趋势每天变化 {trend} {unit}（{trend_interval}）。",
    ),
    "warning.no_volumes": (
        "The inputs do not count traffic: fewer vehicles could explain a change, so nothing is called a gain.",
        "输入数据未统计交通量：车辆减少也可能造成变化，因此不宣称任何改善。",
    ),
    "warning.volume_fell": (
        "Traffic fell by more than 0.5 %: what moved for the better is not called a gain.",
        "交通量下降超过 0.5%：向好的变化不视为改善。",
    ),
    "warning.volume_fell_in_part": (
        "Where traffic fell by more than 0.5 % in a period, what moved for the better is marked as no gain claimed.",
        "在交通量下降超过 0.5% 的时段，向好的变化标记为不宣称改善。",
    ),
    "warning.setting": (
        "The runs differ in {name}: {a} before, {b} after.",
        "前后仿真的设置 {name} 不同：实施前 {a}，实施后 {b}。",
    ),
    "warning.loops": (
        "The detectors of the runs differ; the measures come from the trips and do not depend on them.",
        "前后仿真的检测器不同；行程类指标来自车辆行程，不受其影响。",
    ),
    "warning.gridlock": (
        "{side}: {runs} of {all} runs ended in gridlock.",
        "{side}：{all} 次仿真中有 {runs} 次出现交通锁死。",
    ),
    "nav": ("Sections", "章节"),
    "section.summary": ("In short", "概要"),
    "section.table": ("What agencies ask for", "主管部门常用指标表"),
    "section.all": ("All measures", "全部指标"),
    "section.bands": ("Over the day", "一天中的变化"),
    "section.heat": ("Speed by place and time", "分路段分时段速度"),
    "section.pcd": ("Arrivals in the cycle", "周期内车辆到达"),
    "section.corridors": ("Corridor by corridor", "逐条走廊"),
    "section.methods": ("Methods and exclusions", "方法与剔除"),
    "section.footer": ("To repeat this report", "复现本报告"),
    "column.measure": ("measure", "指标"),
    "column.unit": ("unit", "单位"),
    "column.period": ("period", "时段"),
    "column.change": ("change", "变化"),
    "column.interval": ("interval", "置信区间"),
    "column.percent": ("percent change", "变化百分比"),
    "column.p": ("p", "p 值"),
    "column.adjusted": ("adjusted p", "校正 p 值"),
    "column.verdict": ("verdict", "结论"),
    "column.corridor": ("corridor or approach", "走廊或进口道"),
    "column.side": ("side", "前/后"),
    "column.reason": ("reason", "原因"),
    "column.test": ("test", "检验"),
    "column.file": ("input", "输入"),
    "column.share": ("change to be seen", "拟检出的变化"),
    "column.days": ("days on each side", "每侧所需天数"),
    "column.pairs": ("pairs of seeds", "所需种子对数"),
    "unit.day": ("day", "日期"),
    "unit.seed": ("seed", "种子"),
    "table.agency": (
        "Seven measures, by period, before and after; percent change with its {confidence} % interval",
        "七项指标分时段前后对比；变化百分比及其 {confidence}% 置信区间",
    ),
    "table.all": ("Every measure that both sides have, whole day", "双方均有的全部指标（全天）"),
    "table.tests": ("Further tests of the same changes, on daily or seed values", "同一变化的其他检验（按日或按种子）"),
    "table.corridors": ("{measure} by corridor or approach", "各走廊或进口道的{measure}"),
    "table.exclusions": ("What was left out, and why", "剔除内容及原因"),
    "table.power": (
        "How many days do I need? To see a change in four studies out of five",
        "需要多少天？五次研究中有四次能检出该变化",
    ),
    "table.sources": ("What was read", "读取的文件"),
    "not_measured": ("not measured", "未测量"),
    "too_few": ("too few", "数据不足"),
    "note.agency": (
        "“Too few”: not enough days or seeds, or values that do not vary, so no interval and hence no effect.",
        "“数据不足”：天数或种子数不足，或数值没有变化，无法给出区间，因此不给出效果。",
    ),
    "note.bands": (
        "Line: mean of days or seeds. Band: its {confidence} % interval at each time of day.",
        "曲线：各日或各种子的均值。色带：该时刻均值的 {confidence}% 置信区间。",
    ),
    "note.heat": (
        "km/h; one row per corridor or approach, time from left to right, one scale for both.",
        "单位：公里/小时；每行一条走廊或进口道，时间自左向右，前后同一色标。",
    ),
    "note.corridors": (
        "Dot: change. Line: its {confidence} % interval. Coloured where the change stands after the p values were "
        "adjusted for the number of corridors (Benjamini and Hochberg, 5 %).",
        "圆点：变化。横线：{confidence}% 置信区间。经多重检验校正（Benjamini-Hochberg，5%）后仍成立的变化着色显示。",
    ),
    "note.pcd": (
        "Junction {device}, phase {phase}: each dot is an arrival, by seconds since red began. Dots above the green line "
        "arrived on green.",
        "路口 {device}，相位 {phase}：每个点为一次到达，纵轴为红灯开始后的秒数。绿线以上的点为绿灯到达。",
    ),
    "caption.band": ("{measure}, {unit}", "{measure}（{unit}）"),
    "caption.heat": ("Speed {side}", "{side}速度"),
    "caption.forest": ("Change of {measure}, {unit}", "{measure}变化（{unit}）"),
    "caption.map": ("Change of {measure} on the map", "{measure}变化地图"),
    "caption.effects": ("Percent change of each measure", "各指标变化百分比"),
    "alt.effects": (
        "Dots with intervals of the percent change of each measure over the whole day; the values are in the table "
        "of all measures.",
        "各指标全天变化百分比及其置信区间；数值见全部指标表。",
    ),
    "alt.band": (
        "Two lines with bands of {measure} over the day: before from {b0} to {b1}, after from {a0} to {a1} {unit}.",
        "一天中{measure}的两条曲线及色带：实施前 {b0} 至 {b1}，实施后 {a0} 至 {a1} {unit}。",
    ),
    "alt.heat": (
        "Heat map of speed {side}: {n} corridors or approaches over the day, {low} to {high} km/h.",
        "{side}速度热力图：{n} 条走廊或进口道，{low} 至 {high} 公里/小时。",
    ),
    "alt.forest": (
        "Change of {measure} with its interval for {n} corridors or approaches; the values are in the table below.",
        "{n} 条走廊或进口道的{measure}变化及其区间；数值见下表。",
    ),
    "alt.map": (
        "Map coloured by the change of {measure}: {better} approaches better, {worse} worse, the others not clear.",
        "按{measure}变化着色的地图：{better} 条进口道改善，{worse} 条变差，其余不明确。",
    ),
    "axis.time": ("time of day", "时刻"),
    "axis.percent": ("percent change", "变化百分比"),
    "download": ("Download as CSV: {name}", "下载 CSV：{name}"),
    "noscript": (
        "The charts need JavaScript; the words and tables do not.",
        "图表需要 JavaScript；文字和表格不需要。",
    ),
    "method.units.day": (
        "The unit is the day: rows within a day are correlated and never count as independent. Both sides hold the same "
        "number of each weekday; periods follow the local clock, and days on which it changes are left out.",
        "统计单元为“天”：同一天内的记录相互关联，不作为独立样本。前后两侧每个星期几的天数相同；时段按当地时钟划分，夏令时切换日剔除。",
    ),
    "method.units.seed": (
        "The unit is the seed: runs of the same seed have the same vehicles before and after, and are compared in pairs.",
        "统计单元为随机种子：相同种子的仿真在前后两侧车辆相同，成对比较。",
    ),
    "method.ratio": (
        "Every measure is a sum over a sum (seconds over vehicles, distance over time), never a mean of ratios. Intervals "
        "come from {replicates} resamples of whole days or seeds, with Student's t; random seed {seed}.",
        "各指标均为总和之比（秒数比车辆数、距离比时间），不取比值的平均。区间由整天或整种子重抽样 {replicates} 次并按学生 t 分布得出；随机种子 {seed}。",
    ),
    "method.saved": (
        "Hours saved: the change of seconds per vehicle times the vehicles of a day or run after the change.",
        "节省的小时数：每车秒数的变化乘以实施后一天或一次仿真的车辆数。",
    ),
    "method.gain": (
        "No gain is claimed where less traffic came through (more than 0.5 % less), or where traffic was not counted.",
        "若通过的车辆减少超过 0.5%，或未统计流量，则不宣称改善。",
    ),
    "method.tests": (
        "Beside the intervals: Welch's t and Mann and Whitney's ranks with the Hodges-Lehmann shift for days, paired t and "
        "Wilcoxon's signed ranks for seeds. With many corridors, p values are adjusted (Benjamini and Hochberg).",
        "除区间外：按天采用 Welch t 检验与 Mann-Whitney 秩检验（Hodges-Lehmann 位移），按种子采用配对 t 检验与 Wilcoxon 符号秩检验。多条走廊时校正 p 值（Benjamini-Hochberg）。",
    ),
    "method.buffer": (
        "Buffer index: 95th percentile of travel times in bins of {minutes} minutes, over their mean, less one. Where free "
        "flow is not given, it is the 15th percentile of all travel times of the corridor.",
        "缓冲指数：以 {minutes} 分钟为单位的行程时间第 95 百分位数与均值之比减一。未给出自由流时间时，取该走廊全部行程时间的第 15 百分位数。",
    ),
    "method.runs": (
        "Simulated runs: delay is charged to every scheduled vehicle, also those that could never enter, and speed counts "
        "the time since the planned departure; a simulation is not a street.",
        "仿真：延误计入所有计划车辆（包括未能进入路网者），速度计入计划出发后的全部时间；仿真不等同于实际道路。",
    ),
    "method.probe": (
        "A table without vehicle ids is a sample; its times are taken as they are, times without a zone as UTC.",
        "没有车辆编号的表视为抽样；时间按原值使用，未注明时区的时间视为 UTC。",
    ),
    "none_left_out": ("Nothing was left out.", "没有剔除任何内容。"),
    "repeat": ("Same inputs, same versions, same command: same numbers.", "相同输入、相同版本、相同命令：相同数字。"),
    "test.difference of means, Welch": ("difference of means, Welch", "均值差，Welch 检验"),
    "test.Hodges-Lehmann shift, Mann-Whitney": (
        "Hodges-Lehmann shift, Mann-Whitney",
        "Hodges-Lehmann 位移，Mann-Whitney 检验",
    ),
    "test.mean of paired differences, t": ("mean of paired differences, t", "配对差均值，t 检验"),
    "test.Hodges-Lehmann shift of pairs, Wilcoxon": (
        "Hodges-Lehmann shift of pairs, Wilcoxon",
        "配对 Hodges-Lehmann 位移，Wilcoxon 检验",
    ),
    "pcd.arrivals on green": ("arrivals on green", "绿灯到达"),
    "pcd.on yellow": ("on yellow", "黄灯到达"),
    "pcd.on red": ("on red", "红灯到达"),
    "pcd.green begins": ("green begins", "绿灯开始"),
    "pcd.yellow begins": ("yellow begins", "黄灯开始"),
    "pcd.red begins": ("red begins", "红灯开始"),
    "pcd.title": ("{side}: seconds since red began", "{side}：红灯开始后的秒数"),
}

REASONS: tuple[tuple[str, str], ...] = (
    (r"the clock changes", "夏令时切换"),
    (r"volumes missing", "缺少交通量"),
    (r"values missing", "缺少数值"),
    (r"nothing to measure", "没有可测数据"),
    (r"more of this weekday than on the other side", "该星期几的天数多于另一侧"),
    (r"seed is not on the other side", "另一侧没有该种子"),
    (r"cut short before the end", "仿真提前中止"),
    (r"(\d+) of (\d+) bins", r"\2 个时段中仅有 \1 个"),
    (r"detector channel ([\d, ]+) is silent on this side only", r"检测器通道 \1 仅在此侧无数据"),
)
PLACES: tuple[tuple[str, str], ...] = (
    (r"\bfrom north-east\b", "自东北"),
    (r"\bfrom north-west\b", "自西北"),
    (r"\bfrom south-east\b", "自东南"),
    (r"\bfrom south-west\b", "自西南"),
    (r"\bfrom north\b", "自北"),
    (r"\bfrom south\b", "自南"),
    (r"\bfrom east\b", "自东"),
    (r"\bfrom west\b", "自西"),
    (r"^Junction (?=\S)", "路口 "),
)


def words_in(language: str) -> Words:
    """The sentences of one language: a key and its values to a text. Raises InputError for another language."""
    if language not in LANGUAGES:
        raise InputError(f"--lang: expected {' or '.join(LANGUAGES)}, found {language}")
    place = LANGUAGES.index(language)

    def say(key: str, **values: object) -> str:
        text = TEXTS[key][place] if key in TEXTS else _unlisted(key, place)
        return text.format(**values) if values else text

    return say


def _unlisted(key: str, place: int) -> str:
    """Names that others gave: periods, reasons, places. Known patterns are put into the language."""
    kind, _, text = key.partition(".")
    patterns = {"reason": REASONS, "place": PLACES}.get(kind, ())
    if place:
        for pattern, chinese in patterns:
            text = re.sub(pattern, chinese, text)
    return text
