internal import Glibc

/// The variables that every step has; all else is named in the danubefile.
///
/// Steps whose result may be kept get nothing that differs from run to run, so that the result
/// cannot depend on it.
package struct StepEnvironment: Sendable {
    /// Where programs are looked up, as in the environment Danube was started in.
    package var path: String
    /// The user's folder, where tools keep their own caches.
    package var home: String
    /// The user's name.
    package var user: String
    /// A folder for what steps need for a moment.
    package var temporary: String

    /// Where programs are looked up when nobody says it.
    package static let defaultPath =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Takes the variables from the environment Danube was started in.
    package init(temporary: String) {
        path = Self.variable("PATH") ?? Self.defaultPath
        home = Self.variable("HOME") ?? "/"
        user = Self.variable("USER") ?? Self.variable("LOGNAME") ?? "nobody"
        self.temporary = temporary
    }

    /// All variables of a step, `NAME=value`: the danubefile's win. `job` is left out for steps
    /// whose result may be kept.
    package func variables(
        _ given: [(name: String, value: String)], workspace: String, job: String?
    ) -> [String] {
        var all = [
            "PATH=\(path)", "HOME=\(home)", "USER=\(user)", "LANG=C.UTF-8", "TMPDIR=\(temporary)",
            "CI=true", "DANUBE=true", "DANUBE_WORKSPACE=\(workspace)", "PWD=\(workspace)",
        ]
        if let job { all.append("DANUBE_JOB=\(job)") }
        if given.isEmpty { return all }
        let names = Set(given.map(\.name))
        all.removeAll { variable in names.contains(String(variable.prefix { $0 != "=" })) }
        return all + given.map { "\($0.name)=\($0.value)" }
    }

    /// The variables that a step in a container has beside the image's and the danubefile's.
    package func containerVariables(workspace: String, workdir: String, job: String?) -> [String] {
        let folder = workdir.isEmpty ? workspace : "\(workspace)/\(workdir)"
        var all = ["CI=true", "DANUBE=true", "DANUBE_WORKSPACE=\(workspace)", "PWD=\(folder)"]
        if let job { all.append("DANUBE_JOB=\(job)") }
        return all
    }

    /// The path in which a step's program is looked up.
    package func search(_ given: [(name: String, value: String)]) -> String {
        given.last { $0.name == "PATH" }?.value ?? path
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
