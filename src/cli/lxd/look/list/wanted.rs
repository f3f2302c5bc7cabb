//! Which instances `lxd list` is asked for.

use super::filter::Filter;
use crate::cli::lxd::fleet::Fleet;
use crate::config::CloudConfig;
use crate::inventory::InstanceRow;

/// The clouds, each with the filters for it alone, and the filters for all.
pub(super) struct Wanted<'a> {
    clouds: Vec<(&'a CloudConfig, Vec<Filter>)>,
    filters: Vec<Filter>,
    pub(super) all_projects: bool,
}

impl<'a> Wanted<'a> {
    /// An argument is a cloud (`berlin:`, or `berlin` where one has that name), a filter for one (`berlin:web`), or a filter
    /// for all.
    pub(super) fn parse(
        fleet: &'a Fleet,
        targets: &[String],
        all_projects: bool,
    ) -> anyhow::Result<Wanted<'a>> {
        let mut wanted = Wanted { clouds: Vec::new(), filters: Vec::new(), all_projects };
        for target in targets {
            let (Some(cloud), filter) = fleet.with_filter(target) else {
                wanted.filters.push(Filter::parse(target));
                continue;
            };
            let cloud = fleet.with_api(cloud)?;
            let filter = (!filter.is_empty()).then(|| Filter::parse(filter));
            match wanted.clouds.iter_mut().find(|(known, _)| known.name == cloud.name) {
                Some((_, filters)) => filters.extend(filter),
                None => wanted.clouds.push((cloud, filter.into_iter().collect())),
            }
        }
        if wanted.clouds.is_empty() {
            wanted.clouds = fleet.clouds(&[])?.into_iter().map(|cloud| (cloud, Vec::new())).collect();
        }
        Ok(wanted)
    }

    pub(super) fn clouds(&self) -> Vec<&'a CloudConfig> {
        self.clouds.iter().map(|(cloud, _)| *cloud).collect()
    }

    /// The project that `--project` or the configuration names for each of the clouds.
    pub(super) fn only_project(&self) -> Option<&str> {
        let first = self.clouds.first()?.0.project.as_deref()?;
        let same = self.clouds.iter().all(|(cloud, _)| project(cloud) == first);
        (same && !self.all_projects).then_some(first)
    }

    /// All filters, for whichever cloud.
    pub(super) fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.filters.iter().chain(self.clouds.iter().flat_map(|(_, filters)| filters))
    }

    /// Whether this is one of them.
    pub(super) fn fits(&self, row: &InstanceRow) -> bool {
        let Some((cloud, own)) = self.clouds.iter().find(|(cloud, _)| cloud.name == row.key.cloud) else {
            return false;
        };
        (self.all_projects || row.key.project == project(cloud))
            && self.filters.iter().chain(own).all(|filter| filter.fits(row))
    }
}

/// The project in which a command works.
pub(super) fn project(cloud: &CloudConfig) -> &str {
    cloud.project.as_deref().unwrap_or("default")
}
