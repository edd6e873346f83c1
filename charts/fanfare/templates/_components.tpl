{{/*
The five workloads and the call graph, in one place: Deployments, environment, Services,
NetworkPolicies and certificates all follow from this table.

values: key in values.yaml · image: suffix of the image · main: what Node runs · port: where others
call it · protocol: name of that port · urls: variable that tells others its address · calls: whom it
calls · stores: what it keeps things in
*/}}
{{- define "fanfare.components" -}}
gateway:
  values: gateway
  image: gateway
  main: services/gateway/dist/main.js
  port: 8000
  protocol: http
  calls: [quiz, leaderboard, quiz-master]
  stores: [nats]
quiz:
  values: quiz
  image: quiz
  main: services/quiz/dist/main.js
  port: 9001
  protocol: grpc
  url: QUIZ_URL
  grpcService: quiz.v1.QuizService
  calls: [quiz-master]
  stores: [nats, postgresql]
history:
  values: history
  image: quiz
  main: services/quiz/dist/history-main.js
  ownMain: true
  calls: []
  stores: [nats, postgresql]
leaderboard:
  values: leaderboard
  image: leaderboard
  main: services/leaderboard/dist/main.js
  port: 9002
  protocol: grpc
  url: LEADERBOARD_URL
  grpcService: leaderboard.v1.LeaderboardService
  calls: []
  stores: [nats, redis, postgresql]
quiz-master:
  values: quizMaster
  image: quiz-master
  main: services/quiz-master/dist/main.js
  port: 9003
  protocol: grpc
  url: QUIZ_MASTER_URL
  grpcService: quizmaster.v1.QuizMasterService
  calls: []
  stores: [postgresql]
{{- end -}}

{{/* Ports of the bundled datastores that clients use. */}}
{{- define "fanfare.stores" -}}
nats: {port: 4222, portName: client}
redis: {port: 6379, portName: redis}
postgresql: {port: 5432, portName: postgresql}
{{- end -}}

{{- define "fanfare.adminPort" -}}9100{{- end -}}
