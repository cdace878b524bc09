import Executor
import Glibc
import PipelineIR

/// Finds jobs and their steps by what a person calls them.
struct Jobs {
    let history: History
    /// The repository that the directory is in, when it has jobs.
    let repository: String?

    /// Opens the history of this machine, as seen from a directory.
    init(_ directory: String = ".") throws(Failure) {
        do throws(HistoryError) {
            guard let history = try History(folder: try History.defaultFolder()) else {
                throw HistoryError.noJobs
            }
            self.history = history
            repository = try Self.absolute(directory).flatMap { folder throws(HistoryError) in
                try history.repository(of: folder)
            }
        } catch {
            throw Self.failure(error)
        }
    }

    /// What a failure of the library is for a person.
    static func failure(_ error: HistoryError) -> Failure {
        if case .noJobs = error {
            return .mistake(error.description, hint: error.hint)
        }
        return .environment(error.description, hint: error.hint)
    }

    /// The jobs that match, the latest first.
    func list(_ filter: History.Filter) throws(Failure) -> [JobRecord] {
        do { return try history.jobs(filter) } catch { throw Self.failure(error) }
    }

    /// The job of a name; without one the latest of this repository, or of all.
    func job(_ name: String?) throws(Failure) -> JobRecord {
        guard let found = try find(name ?? "last") else {
            let hint = "`danube jobs --all` lists them."
            throw .mistake("there is no job \(DisplayText.escaped(name ?? "last"))", hint: hint)
        }
        return found
    }

    /// The job of a name; `nil` when there is none.
    func find(_ name: String) throws(Failure) -> JobRecord? {
        let match: History.Match
        do throws(HistoryError) {
            match = try history.job(name, repository: repository)
        } catch {
            throw Self.failure(error)
        }
        switch match {
        case .one(let job): return job
        case .none: return nil
        case .several(let jobs):
            let names = jobs.map(\.id.text).joined(separator: ", ")
            throw .mistake("\(name) is the name of several jobs", hint: "Name one of \(names).")
        }
    }

    /// The steps of a job's plan with what became of them.
    func steps(of job: JobRecord) throws(Failure) -> [JobStep] {
        do throws(HistoryError) {
            let planned = try history.plannedSteps(of: job)
            return try history.steps(of: job).map { record in
                let known = planned.indices.contains(record.step) ? planned[record.step] : nil
                return JobStep(
                    id: known?.id ?? "", name: known?.name ?? "step \(record.step + 1)",
                    record: record)
            }
        } catch {
            throw Self.failure(error)
        }
    }

    /// The steps that a text names.
    func steps(_ text: String, of job: JobRecord) throws(Failure) -> [JobStep] {
        let all = try steps(of: job)
        return try StepChoice.places(
            text, among: all.map { (id: $0.id, name: $0.name) }, job: job.id.text
        ).map { all[$0] }
    }

    private static func absolute(_ directory: String) -> String? {
        guard let path = realpath(directory, nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }
}

/// A step of a job: what it is, and what became of it.
struct JobStep {
    var id: String
    var name: String
    var record: StepRecord
}

extension Jobs {
    /// Names of jobs for completion; nothing when there are none.
    static func completions() -> [String] {
        guard let jobs = try? Jobs() else { return [] }
        var filter = History.Filter()
        filter.repository = jobs.repository
        return (try? jobs.list(filter).map(\.id.text)) ?? []
    }

    /// Names of steps for completion: of a job on the command line, or of the latest.
    static func stepCompletions(_ words: [String]) -> [String] {
        guard let jobs = try? Jobs() else { return [] }
        let named = words.dropFirst(2).lazy.compactMap { JobID($0) }.first
        guard let job = try? jobs.job(named?.text), let steps = try? jobs.steps(of: job) else {
            return []
        }
        return Array(Set(steps.prefix(1000).map(\.name))).sorted()
    }
}
