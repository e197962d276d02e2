//! Rows of Jobs and CronJobs.

use super::rows::{ago, containers, int, or_none, selector, title};
use crate::api::Obj;
use crate::api::object::condition;
use crate::api::time::{human, parse};
use crate::value::Value;

/// The cells of a Job.
pub fn job(obj: &Obj, age: String, now: u64) -> Vec<String> {
    let (spec, status) = (obj.spec(), obj.status());
    let done = int(&status["succeeded"]);
    let completions = match (spec["completions"].as_int(), spec["parallelism"].int_or(0)) {
        (Some(wanted), _) => format!("{done}/{wanted}"),
        (None, at_once) if at_once > 1 => format!("{done}/1 of {at_once}"),
        (None, _) => format!("{done}/1"),
    };
    let at = |field: &str| status[field].as_str().and_then(parse);
    let duration = at("startTime").map_or_else(String::new, |start| {
        human(at("completionTime").unwrap_or(now).saturating_sub(start))
    });
    let template = &spec["template"];
    vec![
        obj.name().to_string(),
        state(obj).to_owned(),
        completions,
        duration,
        age,
        containers(template, "name"),
        containers(template, "image"),
        selector(&spec["selector"]),
    ]
}

fn state(job: &Obj) -> &'static str {
    let is = |kind: &str| condition(&job.value, kind)["status"].str() == "True";
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if job.terminating() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else {
        "Running"
    }
}

/// The cells of a CronJob.
pub fn cron_job(obj: &Obj, age: String, now: u64) -> Vec<String> {
    let (spec, status) = (obj.spec(), obj.status());
    let job = &spec["jobTemplate"]["spec"];
    let last = match &status["lastScheduleTime"] {
        Value::Null => "<none>".to_owned(),
        at => ago(at, now),
    };
    vec![
        obj.name().to_string(),
        spec["schedule"].str().to_owned(),
        or_none(spec["timeZone"].str()),
        title(spec["suspend"].is_true()),
        status["active"].len().to_string(),
        last,
        age,
        containers(&job["template"], "name"),
        containers(&job["template"], "image"),
        selector(&job["selector"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::time::seconds;
    use crate::api::{Kind, Object};
    use crate::value;

    fn object(kind: Kind, spec: Value, status: Value) -> Obj {
        let value = value!({"metadata": {"name": "x"}, "spec": (spec), "status": (status)});
        Obj::new(Object::new(kind, value))
    }

    #[test]
    fn durations_and_schedules_are_those_of_the_status() {
        let cells = |status: Value| {
            let obj = object(Kind::Job, value!({"completions": 2}), status);
            job(&obj, String::new(), seconds(90))[1..4].join("|")
        };
        assert_eq!(cells(value!({})), "Running|0/2|");
        assert_eq!(
            cells(value!({"startTime": "2026-01-05T09:00:00Z", "succeeded": 1})),
            "Running|1/2|90s"
        );
        assert_eq!(
            cells(value!({
                "completionTime": "2026-01-05T09:00:07Z",
                "conditions": [{"status": "True", "type": "Complete"}],
                "startTime": "2026-01-05T09:00:00Z",
                "succeeded": 2
            })),
            "Complete|2/2|7s"
        );
        let status = value!({"lastScheduleTime": "2026-01-05T09:01:00Z"});
        let cron = object(Kind::CronJob, value!({"schedule": "* * * * *"}), status);
        assert_eq!(cron_job(&cron, String::new(), seconds(90))[5], "30s");
    }
}
