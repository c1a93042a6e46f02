//! Who calls whom, who starts before whom: directed graphs over the services of a manifest.
//!
//! A synchronous call blocks the caller, so calls must form no circle; a service starts when everything it calls and
//! everything it names in `after` is up.

use super::refusal::{Broken, Rule, broken};
use super::written::Task;

/// `from` needs `to`, and the line that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Need {
    from: usize,
    to: usize,
    line: usize,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Calls,
    After,
}

/// The services in the order of starting; of those that could be next, the first in the file is.
pub(super) fn start_order(services: &[Task]) -> Result<Vec<usize>, Broken> {
    let calls = calls(services);
    if let Some(circle) = circle(services.len(), &calls) {
        return Err(broken(Rule::CallCycle, closing_line(&circle, Why::Calls), told(services, &circle)));
    }
    let mut needs = calls;
    needs.extend(afters(services)?);
    if let Some(circle) = circle(services.len(), &needs) {
        return Err(broken(Rule::StartOrder, closing_line(&circle, Why::After), told(services, &circle)));
    }
    let mut order = Vec::new();
    while order.len() < services.len() {
        let ready =
            |&at: &usize| !order.contains(&at) && needs.iter().all(|need| need.from != at || order.contains(&need.to));
        let next = (0..services.len()).find(ready).expect("without a circle somebody needs nobody that is missing");
        order.push(next);
    }
    Ok(order)
}

/// The calls between services. A service that resolves its own name, and calls to init, which calls nobody, are none.
fn calls(services: &[Task]) -> Vec<Need> {
    let mut needs = Vec::new();
    for (from, service) in services.iter().enumerate() {
        for route in &service.routes {
            let to = services.iter().position(|other| other.name.value == route.server.value);
            if let Some(to) = to.filter(|&to| to != from) {
                needs.push(Need { from, to, line: route.server.line, why: Why::Calls });
            }
        }
    }
    needs
}

fn afters(services: &[Task]) -> Result<Vec<Need>, Broken> {
    let mut needs = Vec::new();
    for (from, service) in services.iter().enumerate() {
        for name in &service.after {
            let to = services.iter().position(|other| other.name.value == name.value).ok_or_else(|| {
                broken(Rule::UnknownService, name.line, format!("there is no service `{}`", name.value))
            })?;
            needs.push(Need { from, to, line: name.line, why: Why::After });
        }
    }
    Ok(needs)
}

/// A circle of needs, if there is one: the first that a search in file order closes.
fn circle(nodes: usize, needs: &[Need]) -> Option<Vec<Need>> {
    let mut done = vec![false; nodes];
    (0..nodes).find_map(|start| search(start, needs, &mut Vec::new(), &mut done))
}

fn search(at: usize, needs: &[Need], path: &mut Vec<Need>, done: &mut [bool]) -> Option<Vec<Need>> {
    if done[at] {
        return None;
    }
    for need in needs.iter().filter(|need| need.from == at) {
        path.push(*need);
        if let Some(begin) = path.iter().position(|earlier| earlier.from == need.to) {
            return Some(path[begin..].to_vec());
        }
        if let Some(circle) = search(need.to, needs, path, done) {
            return Some(circle);
        }
        path.pop();
    }
    done[at] = true;
    None
}

/// The last line of the circle that gives this reason: the one to mend.
fn closing_line(circle: &[Need], why: Why) -> usize {
    circle.iter().filter(|need| need.why == why).map(|need| need.line).max().unwrap_or(1)
}

fn told(services: &[Task], circle: &[Need]) -> String {
    let name = |at: usize| services[at].name.value.as_str();
    let step = |need: &Need| match need.why {
        Why::Calls => format!("{} calls {}", name(need.from), name(need.to)),
        Why::After => format!("{} is after {}", name(need.from), name(need.to)),
    };
    circle.iter().map(step).collect::<Vec<_>>().join(", ")
}
