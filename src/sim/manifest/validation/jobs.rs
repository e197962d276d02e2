//! Jobs, cron jobs and priority classes.

use super::{Errors, pod, quoted};
use crate::value::Value;

/// The `spec` of a job at that path.
pub(super) fn job(e: &mut Errors, at: &str, spec: &Value) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ] {
        e.not_negative(format!("{at}.{field}"), spec.get(field));
    }
    pod::template(e, &format!("{at}.template"), &spec["template"], &[]);
    // the default of pods is none for jobs; what is no policy at all is told of the template
    if spec["template"]["spec"]["restartPolicy"].str() == "Always" {
        e.required(
            format!("{at}.template.spec.restartPolicy"),
            "valid values: \"OnFailure\", \"Never\"",
        );
    }
}

/// A cron job.
pub(super) fn cron_job(e: &mut Errors, value: &Value) {
    let spec = &value["spec"];
    match spec["schedule"].str() {
        "" => e.required("spec.schedule", ""),
        schedule => {
            if let Some(why) = schedule_fault(schedule) {
                e.invalid("spec.schedule", quoted(schedule), why);
            }
        }
    }
    e.not_negative("spec.startingDeadlineSeconds", &spec["startingDeadlineSeconds"]);
    e.one_of("spec.concurrencyPolicy", &spec["concurrencyPolicy"], &["Allow", "Forbid", "Replace"]);
    e.not_negative("spec.successfulJobsHistoryLimit", &spec["successfulJobsHistoryLimit"]);
    e.not_negative("spec.failedJobsHistoryLimit", &spec["failedJobsHistoryLimit"]);
    job(e, "spec.jobTemplate.spec", &spec["jobTemplate"]["spec"]);
    // a job's name gets eleven characters more
    let name = value["metadata"]["name"].str();
    if name.len() > 52 {
        e.invalid("metadata.name", quoted(name), "must be no more than 52 characters");
    }
}

/// What is wrong with the number of a schedule's fields.
fn schedule_fault(schedule: &str) -> Option<String> {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let named = schedule.starts_with('@');
    (!named && fields.len() != 5).then(|| {
        let found = fields.join(" ");
        format!("expected exactly 5 fields, found {}: [{found}]", fields.len())
    })
}

/// A priority class: users have numbers of their own, and what is written stays.
pub(super) fn priority(e: &mut Errors, value: &Value, old: Option<&Value>) {
    const MOST: i64 = 1_000_000_000;
    let (name, number) = (value["metadata"]["name"].str(), value["value"].int_or(0));
    let known = matches!(name, "system-cluster-critical" | "system-node-critical");
    if name.starts_with("system-") && !known {
        e.forbidden(
            "metadata.name",
            format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"
            ),
        );
    } else if !known && number > MOST {
        e.forbidden("value", format!("maximum allowed value of a user defined priority is {MOST}"));
    }
    e.one_of("preemptionPolicy", &value["preemptionPolicy"], &["PreemptLowerPriority", "Never"]);
    if let Some(old) = old {
        if old["value"].int_or(0) != number {
            e.forbidden("value", "may not be changed in an update.");
        }
        if old["preemptionPolicy"] != value["preemptionPolicy"] {
            let policy = quoted(value["preemptionPolicy"].str());
            e.invalid("preemptionPolicy", policy, "field is immutable");
        }
    }
}
