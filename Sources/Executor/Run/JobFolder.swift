/// The folder of a job that a master records. The master makes it.
package struct JobFolder: Sendable {
    /// Absolute path.
    package var path: String
    /// Name of the job.
    package var job: JobID

    /// Where the master put it.
    package init(path: String, job: JobID) {
        self.path = path
        self.job = job
    }

    /// Where what the pipeline uploads is put, by name.
    package var artifacts: String { "\(path)/artifacts" }
}
