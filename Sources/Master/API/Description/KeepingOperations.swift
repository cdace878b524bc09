/// Descriptions of the routes of secrets and artifacts.
extension APIOperation {
    static let listSecrets = APIOperation(
        id: "listSecrets", tag: "secrets", summary: "Lists secrets without their values.",
        query: [Parameter("scope", "Those of a scope.", .text)],
        answers: [Answer(200, "All of them.", .json("Secrets"))])

    static let putSecret = APIOperation(
        id: "putSecret", tag: "secrets",
        summary: "Sets a secret; without `value`, its restrictions alone.",
        body: .json("SecretChange"), needsBody: true,
        answers: [Answer(200, "The secret without its value.", .json("Secret"))],
        problems: [404, 413, 422])

    static let deleteSecret = APIOperation(
        id: "deleteSecret", tag: "secrets", summary: "Removes a secret.",
        answers: [Answer(204, "It is gone.")], problems: [404, 422])

    static let rotateSecretKey = APIOperation(
        id: "rotateSecretKey", tag: "secrets",
        summary: "Makes a new key and seals all secrets with it.",
        body: .json("Nothing"), answers: [Answer(204, "It is done.")], problems: [409, 413])

    static let listArtifacts = APIOperation(
        id: "listArtifacts", tag: "artifacts", summary: "Lists what a job has kept.",
        answers: [Answer(200, "All of it, once the job has ended.", .json("Artifacts"))],
        problems: [404, 409, 410])

    static let getArtifact = APIOperation(
        id: "getArtifact", tag: "artifacts",
        summary: "Gives something that a job has kept; a folder as a compressed tar archive.",
        headers: [
            Parameter("Range", "A part of a file; what is none means all.", .anyText),
            Parameter("If-None-Match", "Tags of what is known.", .anyText),
        ],
        answers: [
            Answer(
                200, "All of it.", .bytes, Content(type: "application/gzip", schema: .bytes)),
            Answer(206, "The part.", .bytes), Answer(304, "It is known already."),
            Answer(416, "There is no such part."),
        ], problems: [404, 409, 410])
}
