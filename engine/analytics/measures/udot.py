"""The measures that only the UDOT dialect defines: a record each, with its source, columns, events and detectors."""

from __future__ import annotations

import polars as pl

from .calls import wait_time
from .corridor import arrivals_by_shift, phase_intervals
from .counts import approach_peaks, approach_volume, turning_counts
from .diagnostics import detector_health
from .gaps import green_time_utilisation, left_turn_gap, queue_spillback
from .phase_ends import phase_terminations, split_monitor, split_monitor_plans
from .progression import approach_delay, arrivals_by_colour, pcd_cycles, pcd_plans, pcd_points
from .record import Measure
from .requests import preempt_details, priority_details
from .stop_bar import yellow_red_actuations
from .supervision import watchdog

__all__ = ["TIME", "UDOT", "UDOT_MEASURES"]

UDOT = "UDOT ATSPM component details (Utah DOT, version 5)"
GEORGIA = "Georgia DOT, SigOps metrics"
OFFSETS = "Day, Bullock 2011, TRR 2259: algorithms for arterial offset optimisation"
DIAGNOSTICS = "NTCIP 1202, vehicle detector diagnostics"
CAPACITY = "Highway Capacity Manual, 7th edition"
TIME = pl.Datetime("ms", "UTC")

PROGRESSION = (
    Measure(
        "arrivals_by_colour",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "hits": pl.Int32,
            "on_green": pl.Int32,
            "on_yellow": pl.Int32,
            "on_red": pl.Int32,
            "percent_on_red": pl.Float64,
        },
        UDOT,
        (1, 8, 9, 82),
        udot=arrivals_by_colour,
        functions=("advance",),
    ),
    Measure(
        "approach_delay",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "hits": pl.Int32,
            "delay_s": pl.Float64,
            "delay_s_per_vehicle": pl.Float64,
            "delay_veh_h_per_h": pl.Float64,
        },
        UDOT,
        (1, 8, 9, 82),
        udot=approach_delay,
        functions=("advance",),
    ),
    Measure(
        "pcd_points",
        {
            "timestamp": TIME,
            "start_time": TIME,
            "phase": pl.Int32,
            "detector": pl.Int32,
            "seconds_in_cycle": pl.Float64,
            "signal_state": pl.Int32,
        },
        UDOT,
        (1, 8, 9, 82),
        udot=pcd_points,
        functions=("advance",),
        complete=False,
    ),
    Measure(
        "pcd_cycles",
        {
            "timestamp": TIME,
            "end_time": TIME,
            "phase": pl.Int32,
            "green_s": pl.Float64,
            "yellow_s": pl.Float64,
            "cycle_s": pl.Float64,
            "hits": pl.Int32,
        },
        UDOT,
        (1, 8, 9, 82),
        udot=pcd_cycles,
        functions=("advance",),
        complete=False,
    ),
    Measure(
        "pcd_plans",
        {
            "start_time": TIME,
            "end_time": TIME,
            "plan": pl.Int32,
            "phase": pl.Int32,
            "cycles": pl.Int32,
            "hits": pl.Int32,
            "percent_aog": pl.Float64,
            "percent_green": pl.Float64,
            "platoon_ratio": pl.Float64,
        },
        UDOT,
        (1, 8, 9, 82, 131),
        udot=pcd_plans,
        functions=("advance",),
        complete=False,
    ),
)
VOLUMES = (
    Measure(
        "approach_volume",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "volume": pl.Int32,
            "flow_veh_h": pl.Float64,
            "d_factor": pl.Float64,
        },
        UDOT,
        (82,),
        udot=approach_volume,
        functions=("advance",),
    ),
    Measure(
        "approach_peaks",
        {
            "timestamp": TIME,
            "start_time": TIME,
            "end_time": TIME,
            "phase": pl.Int32,
            "volume": pl.Int32,
            "peak_hour_volume": pl.Int32,
            "peak_hour_factor": pl.Float64,
            "k_factor": pl.Float64,
            "d_factor": pl.Float64,
        },
        CAPACITY,
        (82,),
        udot=approach_peaks,
        functions=("advance",),
        complete=False,
    ),
    Measure(
        "turning_counts",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "movement": pl.String,
            "total": pl.Int32,
            "flow_veh_h": pl.Float64,
            "lanes": pl.Int32,
            "lane_utilisation": pl.Float64,
        },
        UDOT,
        (82,),
        udot=turning_counts,
        functions=("count",),
    ),
)
PHASES = (
    Measure(
        "yellow_red_actuations",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "cycles": pl.Int32,
            "yellow": pl.Int32,
            "mean_yellow_s": pl.Float64,
            "violations": pl.Int32,
            "severe_violations": pl.Int32,
        },
        UDOT,
        (1, 8, 9, 11, 82),
        udot=yellow_red_actuations,
        functions=("yellow_red",),
    ),
    Measure(
        "phase_terminations",
        {"timestamp": TIME, "phase": pl.Int32, "termination": pl.String, "in_a_row": pl.Int32},
        UDOT,
        (4, 5, 6, 7, 21),
        udot=phase_terminations,
        complete=False,
    ),
    Measure(
        "split_monitor",
        {
            "timestamp": TIME,
            "end_time": TIME,
            "phase": pl.Int32,
            "plan": pl.Int32,
            "duration_s": pl.Float64,
            "programmed_s": pl.Float64,
            "termination": pl.String,
            "has_walk": pl.Boolean,
        },
        UDOT,
        (0, 4, 5, 6, 7, 12, 21, 131, *range(134, 150), *range(203, 219)),
        udot=split_monitor,
        complete=False,
    ),
    Measure(
        "split_monitor_plans",
        {
            "start_time": TIME,
            "end_time": TIME,
            "plan": pl.Int32,
            "phase": pl.Int32,
            "services": pl.Int32,
            "mean_s": pl.Float64,
            "median_s": pl.Float64,
            "percentile_s": pl.Float64,
            "percent_skips": pl.Float64,
            "percent_gap_outs": pl.Float64,
            "percent_max_outs": pl.Float64,
            "percent_force_offs": pl.Float64,
        },
        UDOT,
        (0, 4, 5, 6, 7, 12, 131),
        udot=split_monitor_plans,
        complete=False,
    ),
)
REQUESTS = (
    Measure(
        "preempt_details",
        {
            "timestamp": TIME,
            "end_time": TIME,
            "preempt": pl.Int32,
            "calls": pl.Int32,
            "input_s": pl.Float64,
            "delay_s": pl.Float64,
            "time_to_service_s": pl.Float64,
            "track_clear_s": pl.Float64,
            "dwell_s": pl.Float64,
            "duration_s": pl.Float64,
            "is_complete": pl.Boolean,
        },
        UDOT,
        (102, 104, 105, 106, 107, 111),
        udot=preempt_details,
        complete=False,
    ),
    Measure(
        "priority_details",
        {
            "timestamp": TIME,
            "end_time": TIME,
            "request": pl.Int32,
            "duration_s": pl.Float64,
            "early_greens": pl.Int32,
            "extensions": pl.Int32,
            "adjusted_after_s": pl.Float64,
            "service_s": pl.Float64,
            "is_complete": pl.Boolean,
        },
        UDOT,
        (112, 113, 114, 115, 118, 119),
        udot=priority_details,
        complete=False,
    ),
    Measure(
        "wait_time",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "mean_wait_s": pl.Float64,
            "max_wait_s": pl.Float64,
            "samples": pl.Int32,
        },
        UDOT,
        (1, 11, 43, 44),
        udot=wait_time,
    ),
)
USE_OF_GREEN = (
    Measure(
        "green_time_utilisation",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "slice_begin_s": pl.Float64,
            "hits": pl.Int32,
            "cycles": pl.Int32,
            "hits_per_cycle": pl.Float64,
        },
        UDOT,
        (1, 8, 82),
        udot=green_time_utilisation,
        functions=("count",),
    ),
    Measure(
        "left_turn_gap",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "cycles": pl.Int32,
            "green_s": pl.Float64,
            "gaps_small": pl.Int32,
            "gaps_short": pl.Int32,
            "gaps_medium": pl.Int32,
            "gaps_turnable": pl.Int32,
            "percent_turnable": pl.Float64,
        },
        UDOT,
        (1, 10, 82),
        udot=left_turn_gap,
        functions=("count",),
    ),
    Measure(
        "queue_spillback",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "cycles": pl.Int32,
            "spillback_cycles": pl.Int32,
            "spillback_share": pl.Float64,
        },
        GEORGIA,
        (1, 8, 9, 81, 82),
        udot=queue_spillback,
        functions=("advance",),
    ),
)
CORRIDOR = (
    Measure(
        "arrivals_by_shift",
        {"phase": pl.Int32, "shift_s": pl.Int32, "hits": pl.Int32, "on_green": pl.Int32},
        OFFSETS,
        (1, 8, 9, 82),
        udot=arrivals_by_shift,
        functions=("advance",),
        complete=False,
    ),
    Measure(
        "phase_intervals",
        {"start_time": TIME, "end_time": TIME, "phase": pl.Int32, "signal_state": pl.Int32},
        UDOT,
        (1, 8, 9),
        udot=phase_intervals,
        complete=False,
    ),
    Measure(
        "detector_health",
        {
            "timestamp": TIME,
            "detector": pl.Int32,
            "actuations": pl.Int32,
            "occupancy_percent": pl.Float64,
            "longest_presence_min": pl.Float64,
            "longest_absence_min": pl.Float64,
            "most_per_min": pl.Int32,
            "stuck_on": pl.Boolean,
            "stuck_off": pl.Boolean,
            "chatter": pl.Boolean,
            "no_data": pl.Boolean,
        },
        DIAGNOSTICS,
        (81, 82),
        udot=detector_health,
        complete=False,
    ),
    Measure(
        "watchdog",
        {
            "timestamp": TIME,
            "check": pl.String,
            "number": pl.Int32,
            "value": pl.Float64,
            "limit": pl.Float64,
        },
        UDOT,
        (),
        udot=watchdog,
        complete=False,
    ),
)
UDOT_MEASURES: tuple[Measure, ...] = (
    *PROGRESSION,
    *VOLUMES,
    *PHASES,
    *REQUESTS,
    *USE_OF_GREEN,
    *CORRIDOR,
)
