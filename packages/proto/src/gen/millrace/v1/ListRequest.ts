// Original file: protos/submission.proto


export interface ListRequest {
}

export interface ListRequest__Output {
}
